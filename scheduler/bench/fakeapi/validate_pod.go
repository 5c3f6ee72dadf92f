package main

// badPod checks what a scheduler reads of a pod's spec.
func badPod(pod object) fault {
	spec, _ := pod["spec"].(object)
	return first(
		func() fault { return badContainers(spec, "containers", true) },
		func() fault { return badContainers(spec, "initContainers", false) },
		func() fault { return badAmounts("spec.overhead", spec["overhead"]) },
		func() fault { return badLabels("spec.nodeSelector", spec["nodeSelector"], true) },
		func() fault { return badTolerations(spec) },
		func() fault { return badNodeAffinity(spec) },
		func() fault { return badPodAffinity(spec, "podAffinity") },
		func() fault { return badPodAffinity(spec, "podAntiAffinity") },
		func() fault { return badSpreading(spec) },
		func() fault { return badRest(spec) },
	)
}

func badRest(spec object) fault {
	if said := text(spec, "restartPolicy"); said != "" && !among(said, "Always", "OnFailure", "Never") {
		return faultf("spec.restartPolicy: Unsupported value: %q", said)
	}
	if said := text(spec, "nodeName"); said != "" && !subdomain.MatchString(said) {
		return faultf("spec.nodeName: Invalid value: %q", said)
	}
	if said := text(spec, "schedulerName"); said != "" && !subdomain.MatchString(said) {
		return faultf("spec.schedulerName: Invalid value: %q", said)
	}
	gates, _ := spec["schedulingGates"].([]any)
	if len(gates) > 0 && text(spec, "nodeName") != "" {
		return "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"
	}
	return ""
}

func badContainers(spec object, field string, wanted bool) fault {
	containers, is := spec[field].([]any)
	if len(containers) == 0 && wanted || spec[field] != nil && !is {
		return faultf("spec.%s: Required value", field)
	}
	names := map[string]bool{}
	for i, one := range containers {
		container, is := one.(object)
		if !is {
			return faultf("spec.%s[%d]: Invalid value: wanted an object", field, i)
		}
		name := text(container, "name")
		if len(name) > 63 || !label.MatchString(name) {
			return faultf("spec.%s[%d].name: Invalid value: %q: a lowercase RFC 1123 label is wanted", field, i, name)
		}
		if names[name] {
			return faultf("spec.%s[%d].name: Duplicate value: %q", field, i, name)
		}
		names[name] = true
		if text(container, "image") == "" {
			return faultf("spec.%s[%d].image: Required value", field, i)
		}
		if found := badResources(container, i, field); found != "" {
			return found
		}
		if found := badPorts(container, i, field); found != "" {
			return found
		}
	}
	return ""
}

func badResources(container object, i int, field string) fault {
	requests, limits := at(container, "resources", "requests"), at(container, "resources", "limits")
	if found := badAmounts("resources.requests", requests); found != "" {
		return found
	}
	if found := badAmounts("resources.limits", limits); found != "" {
		return found
	}
	asked, _ := requests.(object)
	most, _ := limits.(object)
	for name, value := range asked {
		if limit, limited := most[name]; limited {
			amount, _ := known(value)
			bound, _ := known(limit)
			if amount.Cmp(bound) > 0 {
				return faultf("spec.%s[%d].resources.requests: Invalid value: %q: must be less than or equal to %s limit of %v", field, i, value, name, limit)
			}
		}
	}
	return ""
}

func badPorts(container object, i int, field string) fault {
	ports, _ := container["ports"].([]any)
	for j, one := range ports {
		port, _ := one.(object)
		if number, _ := port["containerPort"].(float64); number < 1 || number > 65535 {
			return faultf("spec.%s[%d].ports[%d].containerPort: Invalid value: %g: must be between 1 and 65535, inclusive", field, i, j, number)
		}
		if number, given := port["hostPort"].(float64); given && (number < 0 || number > 65535) {
			return faultf("spec.%s[%d].ports[%d].hostPort: Invalid value: %g: must be between 1 and 65535, inclusive", field, i, j, number)
		}
		if said := text(port, "protocol"); said != "" && !among(said, "TCP", "UDP", "SCTP") {
			return faultf("spec.%s[%d].ports[%d].protocol: Unsupported value: %q", field, i, j, said)
		}
	}
	return ""
}

func badTolerations(spec object) fault {
	tolerations, _ := spec["tolerations"].([]any)
	for i, one := range tolerations {
		toleration, _ := one.(object)
		operator := text(toleration, "operator")
		if !among(operator, "", "Equal", "Exists", "Lt", "Gt") {
			return faultf("spec.tolerations[%d].operator: Unsupported value: %q", i, operator)
		}
		if text(toleration, "key") == "" && operator != "Exists" {
			return faultf("spec.tolerations[%d].operator: Invalid value: %q: operator must be Exists when `key` is empty", i, operator)
		}
		if operator == "Exists" && text(toleration, "value") != "" {
			return faultf("spec.tolerations[%d].value: Invalid value: value must be empty when `operator` is 'Exists'", i)
		}
		if said := text(toleration, "effect"); !among(said, "", "NoSchedule", "PreferNoSchedule", "NoExecute") {
			return faultf("spec.tolerations[%d].effect: Unsupported value: %q", i, said)
		}
	}
	return ""
}

func badNodeAffinity(spec object) fault {
	affinity, _ := at(spec, "affinity", "nodeAffinity").(object)
	if affinity == nil {
		return ""
	}
	required, given := affinity["requiredDuringSchedulingIgnoredDuringExecution"].(object)
	terms, _ := required["nodeSelectorTerms"].([]any)
	if given && len(terms) == 0 {
		return "nodeSelectorTerms: Required value: must have at least one node selector term"
	}
	preferred, _ := affinity["preferredDuringSchedulingIgnoredDuringExecution"].([]any)
	for _, one := range preferred {
		choice, _ := one.(object)
		if weight, _ := choice["weight"].(float64); weight < 1 || weight > 100 {
			return faultf("weight: Invalid value: %g: must be in the range 1-100", weight)
		}
		terms = append(terms[:len(terms):len(terms)], choice["preference"])
	}
	for _, one := range terms {
		term, _ := one.(object)
		if found := badExpressions(term["matchExpressions"], "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"); found != "" {
			return found
		}
		if found := badExpressions(term["matchFields"], "In", "NotIn"); found != "" {
			return found
		}
	}
	return ""
}

func badPodAffinity(spec object, name string) fault {
	affinity, _ := at(spec, "affinity", name).(object)
	terms, _ := affinity["requiredDuringSchedulingIgnoredDuringExecution"].([]any)
	preferred, _ := affinity["preferredDuringSchedulingIgnoredDuringExecution"].([]any)
	for _, one := range preferred {
		choice, _ := one.(object)
		if weight, _ := choice["weight"].(float64); weight < 1 || weight > 100 {
			return faultf("weight: Invalid value: %g: must be in the range 1-100", weight)
		}
		terms = append(terms[:len(terms):len(terms)], choice["podAffinityTerm"])
	}
	for _, one := range terms {
		term, _ := one.(object)
		if why := badKey(text(term, "topologyKey")); why != "" {
			return faultf("topologyKey: Invalid value: %q: %s", text(term, "topologyKey"), why)
		}
		for _, selector := range []string{"labelSelector", "namespaceSelector"} {
			if found := badSelector(at(term, selector)); found != "" {
				return found
			}
		}
	}
	return ""
}

func badSpreading(spec object) fault {
	constraints, _ := spec["topologySpreadConstraints"].([]any)
	for i, one := range constraints {
		constraint, _ := one.(object)
		if skew, _ := constraint["maxSkew"].(float64); skew < 1 {
			return faultf("spec.topologySpreadConstraints[%d].maxSkew: Invalid value: %g: must be greater than zero", i, skew)
		}
		if why := badKey(text(constraint, "topologyKey")); why != "" {
			return faultf("spec.topologySpreadConstraints[%d].topologyKey: Invalid value: %q: %s", i, text(constraint, "topologyKey"), why)
		}
		if said := text(constraint, "whenUnsatisfiable"); !among(said, "DoNotSchedule", "ScheduleAnyway") {
			return faultf("spec.topologySpreadConstraints[%d].whenUnsatisfiable: Unsupported value: %q", i, said)
		}
		if found := badSelector(constraint["labelSelector"]); found != "" {
			return found
		}
	}
	return ""
}

func badSelector(selector any) fault {
	given, _ := selector.(object)
	if found := badLabels("matchLabels", given["matchLabels"], true); found != "" {
		return found
	}
	return badExpressions(given["matchExpressions"], "In", "NotIn", "Exists", "DoesNotExist")
}

func badExpressions(expressions any, operators ...string) fault {
	list, _ := expressions.([]any)
	for i, one := range list {
		line, _ := one.(object)
		values, _ := line["values"].([]any)
		operator := text(line, "operator")
		switch {
		case !among(operator, operators...):
			return faultf("matchExpressions[%d].operator: Invalid value: %q: not a valid selector operator", i, operator)
		case among(operator, "In", "NotIn") && len(values) == 0:
			return faultf("matchExpressions[%d].values: Required value: must be specified when `operator` is 'In' or 'NotIn'", i)
		case among(operator, "Exists", "DoesNotExist") && len(values) > 0:
			return faultf("matchExpressions[%d].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'", i)
		case among(operator, "Gt", "Lt") && len(values) != 1:
			return faultf("matchExpressions[%d].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'", i)
		}
		if why := badKey(text(line, "key")); why != "" && text(line, "key") != "metadata.name" {
			return faultf("matchExpressions[%d].key: Invalid value: %q: %s", i, text(line, "key"), why)
		}
	}
	return ""
}
