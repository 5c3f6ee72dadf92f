package main

import "fmt"

// admit does what the admission plugins of a real server do to pods: priority, and the tolerations that all get.
func (s *store) admit(k *kind, obj object) *refusal {
	if k.plural != "pods" {
		return nil
	}
	name := text(obj, "metadata", "name")
	spec, is := obj["spec"].(object)
	if !is {
		return invalid(k, name, "spec: Required value")
	}
	priority, policy := 0.0, "PreemptLowerPriority"
	if class := text(spec, "priorityClassName"); class != "" {
		found := s.tables["scheduling.k8s.io/priorityclasses"].items[class]
		if found == nil {
			if _, system := systemPriorities[class]; !system {
				return forbidden(k, name, fmt.Sprintf("no PriorityClass with name %s was found", class))
			}
			priority = systemPriorities[class]
		} else {
			priority, _ = found.obj["value"].(float64)
			if own := text(found.obj, "preemptionPolicy"); own != "" {
				policy = own
			}
		}
	}
	if given, there := spec["priority"].(float64); there && given != priority {
		return forbidden(k, name, fmt.Sprintf("the integer value of priority (%g) must not be provided in pod spec; priority admission controller computed %g from the given PriorityClass name", given, priority))
	}
	spec["priority"] = priority
	if text(spec, "preemptionPolicy") == "" {
		spec["preemptionPolicy"] = policy
	}
	tolerations, _ := spec["tolerations"].([]any)
	for _, taint := range []string{"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"} {
		if !tolerated(tolerations, taint) {
			tolerations = append(tolerations, object{"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300.0})
		}
	}
	spec["tolerations"] = tolerations
	return nil
}

var systemPriorities = map[string]float64{"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}

func tolerated(tolerations []any, taint string) bool {
	for _, one := range tolerations {
		if one, is := one.(object); is && (text(one, "key") == taint || text(one, "key") == "") {
			if effect := text(one, "effect"); effect == "" || effect == "NoExecute" {
				return true
			}
		}
	}
	return false
}

// defaulted fills in what a real server fills in, as far as a scheduler sees it.
func defaulted(k *kind, obj object) {
	switch k.plural {
	case "pods":
		defaultPod(obj)
	case "namespaces":
		child(obj, "status")["phase"] = "Active"
		labels := child(obj["metadata"].(object), "labels")
		labels["kubernetes.io/metadata.name"] = text(obj, "metadata", "name")
	case "nodes":
		status := child(obj, "status")
		if status["allocatable"] == nil && status["capacity"] != nil {
			status["allocatable"] = status["capacity"]
		}
	}
}

func defaultPod(pod object) {
	spec := pod["spec"].(object)
	for name, value := range map[string]any{
		"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
		"terminationGracePeriodSeconds": 30.0, "enableServiceLinks": true,
	} {
		if spec[name] == nil {
			spec[name] = value
		}
	}
	if spec["securityContext"] == nil {
		spec["securityContext"] = object{}
	}
	for _, field := range []string{"containers", "initContainers"} {
		containers, _ := spec[field].([]any)
		for _, one := range containers {
			defaultContainer(one.(object))
		}
	}
	status := object{"phase": "Pending", "qosClass": "Burstable"}
	if gates, _ := spec["schedulingGates"].([]any); len(gates) > 0 {
		status["conditions"] = []any{object{
			"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "lastProbeTime": nil,
			"lastTransitionTime": now(), "message": "Scheduling is blocked due to non-empty scheduling gates",
		}}
	}
	pod["status"] = status
}

func defaultContainer(container object) {
	for name, value := range map[string]any{
		"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
	} {
		if container[name] == nil {
			container[name] = value
		}
	}
	resources := child(container, "resources")
	if limits, is := resources["limits"].(object); is {
		requests := child(resources, "requests")
		for name, amount := range limits {
			if requests[name] == nil {
				requests[name] = amount
			}
		}
	}
	ports, _ := container["ports"].([]any)
	for _, one := range ports {
		if port, is := one.(object); is && port["protocol"] == nil {
			port["protocol"] = "TCP"
		}
	}
}
