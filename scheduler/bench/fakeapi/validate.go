package main

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	label       = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	serviceName = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)
	subdomain   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	labelName   = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)
)

// fault is what is wrong with an object; empty when nothing is.
type fault string

func faultf(format string, args ...any) fault { return fault(fmt.Sprintf(format, args...)) }

// first is the first fault of several checks, which run only until there is one.
func first(checks ...func() fault) fault {
	for _, check := range checks {
		if found := check(); found != "" {
			return found
		}
	}
	return ""
}

// validate refuses what a real API server refuses of the fields that schedulers read; the lock is held.
func validate(k *kind, obj object) *refusal {
	name := text(obj, "metadata", "name")
	found := first(
		func() fault { return badName(k, name) },
		func() fault { return badLabels("metadata.labels", at(obj, "metadata", "labels"), true) },
		func() fault { return badLabels("metadata.annotations", at(obj, "metadata", "annotations"), false) },
		func() fault { return byKind(k, obj) },
	)
	if found == "" {
		return nil
	}
	if strings.Contains(string(found), "quantit") { // a real server fails to decode these
		return badRequest("%s in version %q cannot be handled as a %s: %s", k.name, k.apiVersion(), k.name, found)
	}
	return invalid(k, name, string(found))
}

func byKind(k *kind, obj object) fault {
	switch k.plural {
	case "pods":
		return badPod(obj)
	case "nodes":
		return badNode(obj)
	case "events":
		return badEvent(obj)
	case "leases":
		if seconds, is := at(obj, "spec", "leaseDurationSeconds").(float64); is && seconds <= 0 {
			return faultf("spec.leaseDurationSeconds: Invalid value: %g: must be greater than 0", seconds)
		}
	case "priorityclasses":
		if _, is := obj["value"].(float64); !is {
			return "value: Required value"
		}
	case "podgroups":
		if least, is := at(obj, "spec", "schedulingPolicy", "gang", "minCount").(float64); is && least < 1 {
			return faultf("spec.schedulingPolicy.gang.minCount: Invalid value: %g: must be greater than 0", least)
		}
	}
	return ""
}

func badName(k *kind, name string) fault {
	grammar, most := subdomain, 253
	switch k.plural {
	case "namespaces":
		grammar, most = label, 63
	case "services":
		grammar, most = serviceName, 63
	}
	if name == "" {
		return "metadata.name: Required value: name or generateName is required"
	}
	if len(name) > most || !grammar.MatchString(name) {
		return faultf("metadata.name: Invalid value: %q: a lowercase RFC 1123 name of at most %d characters is wanted", name, most)
	}
	return ""
}

func badLabels(field string, labels any, values bool) fault {
	if labels == nil {
		return ""
	}
	found, is := labels.(object)
	if !is {
		return faultf("%s: Invalid value: wanted a map of strings", field)
	}
	for name, value := range found {
		if why := badKey(name); why != "" {
			return faultf("%s: Invalid value: %q: %s", field, name, why)
		}
		said, is := value.(string)
		if !is {
			return faultf("%s: Invalid value: %v: wanted a string", field, value)
		}
		if values && said != "" && (len(said) > 63 || !labelName.MatchString(said)) {
			return faultf("%s: Invalid value: %q: a valid label must be at most 63 characters, alphanumeric at both ends", field, said)
		}
	}
	return ""
}

func badKey(key string) string {
	prefix, name, prefixed := strings.Cut(key, "/")
	if !prefixed {
		prefix, name = "", key
	} else if prefix == "" || len(prefix) > 253 || !subdomain.MatchString(prefix) {
		return "prefix part must be a lowercase RFC 1123 subdomain"
	}
	if name == "" || len(name) > 63 || !labelName.MatchString(name) {
		return "name part must consist of at most 63 alphanumeric characters, '-', '_' or '.'"
	}
	return ""
}

func badNode(node object) fault {
	for _, field := range []string{"capacity", "allocatable"} {
		if found := badAmounts("status."+field, at(node, "status", field)); found != "" {
			return found
		}
	}
	taints, _ := at(node, "spec", "taints").([]any)
	for i, one := range taints {
		taint, _ := one.(object)
		if why := badKey(text(taint, "key")); why != "" {
			return faultf("spec.taints[%d].key: Invalid value: %q: %s", i, text(taint, "key"), why)
		}
		if !among(text(taint, "effect"), "NoSchedule", "PreferNoSchedule", "NoExecute") {
			return faultf("spec.taints[%d].effect: Unsupported value: %q", i, text(taint, "effect"))
		}
	}
	return ""
}

func badEvent(event object) fault {
	about, namespace := text(event, "regarding", "namespace"), text(event, "metadata", "namespace")
	if about != namespace && !(about == "" && namespace == "default") {
		return faultf("involvedObject.namespace: Invalid value: %q: does not match event.namespace", about)
	}
	if text(event, "eventTime") == "" && event["deprecatedFirstTimestamp"] == nil && event["deprecatedSource"] == nil {
		return "eventTime: Required value"
	}
	if text(event, "eventTime") != "" {
		for _, field := range []string{"reportingController", "reportingInstance", "action", "reason"} {
			if said := text(event, field); said == "" || len(said) > 128 {
				return faultf("%s: Invalid value: %q: wanted 1 to 128 characters", field, said)
			}
		}
		if !among(text(event, "type"), "Normal", "Warning") {
			return faultf("type: Invalid value: %q: has invalid value", text(event, "type"))
		}
	}
	if len(text(event, "note")) > 1024 {
		return "message: Invalid value: can have at most 1024 characters"
	}
	return ""
}

// badAmounts checks a map of resource names to amounts.
func badAmounts(field string, amounts any) fault {
	if amounts == nil {
		return ""
	}
	found, is := amounts.(object)
	if !is {
		return faultf("%s: Invalid value: wanted a map of quantities", field)
	}
	for name, value := range found {
		if why := badKey(name); why != "" {
			return faultf("%s[%s]: Invalid value: %s", field, name, why)
		}
		amount, err := known(value)
		if err != nil {
			return fault(err.Error())
		}
		if amount.Sign() < 0 {
			return faultf("%s[%s]: Invalid value: %v: must be greater than or equal to 0", field, name, value)
		}
	}
	return ""
}

func among(said string, wanted ...string) bool {
	for _, one := range wanted {
		if said == one {
			return true
		}
	}
	return false
}
