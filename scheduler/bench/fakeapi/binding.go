package main

import "fmt"

// bind gives a pod its node, once.
func (s *store) bind(to *target, binding object) (string, *refusal) {
	pods, name := byPath["v1/pods"], to.name
	if name == "" {
		name = text(binding, "metadata", "name")
	}
	if said := text(binding, "kind"); said != "" && said != "Binding" {
		return name, badRequest("%s in version \"v1\" cannot be handled as a Binding", said)
	}
	if said := text(binding, "metadata", "name"); said != "" && said != name {
		return name, badRequest("name in URL does not match name in Binding object")
	}
	if said := text(binding, "metadata", "namespace"); said != "" && said != to.namespace {
		return name, badRequest("namespace in URL does not match namespace in Binding object")
	}
	node := text(binding, "target", "name")
	// a real server answers these two with 500 as well: it does not make them a refusal of its own kind
	if said := text(binding, "target", "kind"); said != "" && said != "Node" {
		return name, internal("target.kind: Unsupported value: %q: supported values: \"Node\", \"<empty>\"", said)
	}
	if node == "" {
		return name, internal("target.name: Required value")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables["/pods"]
	e := t.items[key(to.namespace, name)]
	if e == nil {
		return name, notFound(pods, name)
	}
	if why := unbindable(e.obj, binding); why != "" {
		return name, conflict("pods/binding", name, why)
	}
	pod := copied(e.obj)
	pod["spec"].(object)["nodeName"] = node
	status := child(pod, "status")
	delete(status, "nominatedNodeName")
	status["conditions"] = withCondition(status["conditions"], object{
		"type": "PodScheduled", "status": "True", "lastProbeTime": nil, "lastTransitionTime": now(),
	})
	for _, field := range []string{"annotations", "labels"} {
		if added, given := at(binding, "metadata", field).(object); given {
			merged := object{}
			for _, values := range []any{at(pod, "metadata", field), added} {
				if values, is := values.(object); is {
					for k, v := range values {
						merged[k] = v
					}
				}
			}
			pod["metadata"].(object)[field] = merged
		}
	}
	s.put(t, key(to.namespace, name), pod)
	return name, nil
}

// unbindable says why a pod cannot be bound; empty when it can.
func unbindable(pod, binding object) string {
	name := text(pod, "metadata", "name")
	if wanted, is := text(binding, "metadata", "uid"), text(pod, "metadata", "uid"); wanted != "" && wanted != is {
		return fmt.Sprintf("Precondition failed: UID in precondition: %s, UID in object meta: %s", wanted, is)
	}
	if wanted, is := text(binding, "metadata", "resourceVersion"), text(pod, "metadata", "resourceVersion"); wanted != "" && wanted != is {
		return fmt.Sprintf("Precondition failed: ResourceVersion in precondition: %s, ResourceVersion in object meta: %s", wanted, is)
	}
	if text(pod, "metadata", "deletionTimestamp") != "" {
		return fmt.Sprintf("pod %s is being deleted, cannot be assigned to a host", name)
	}
	if node := text(pod, "spec", "nodeName"); node != "" {
		return fmt.Sprintf("pod %s is already assigned to node %q", name, node)
	}
	if gates, _ := at(pod, "spec", "schedulingGates").([]any); len(gates) > 0 {
		return fmt.Sprintf("pod %s has non-empty .spec.schedulingGates", name)
	}
	return ""
}
