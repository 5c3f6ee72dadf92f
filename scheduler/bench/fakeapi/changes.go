package main

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"time"
)

// create stores a new object, which becomes the store's.
func (s *store) create(k *kind, namespace string, obj object) (*entry, *refusal) {
	if refused := typed(k, obj); refused != nil {
		return nil, refused
	}
	metadata := child(obj, "metadata")
	if named := text(metadata, "namespace"); k.namespaced && named != "" && named != namespace {
		return nil, badRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	if k.namespaced {
		if namespace == "" {
			return nil, methodNotAllowed()
		}
		metadata["namespace"] = namespace
	} else {
		delete(metadata, "namespace")
	}
	if text(metadata, "name") == "" && text(metadata, "generateName") != "" {
		metadata["name"] = text(metadata, "generateName") + uid()[:5]
	}
	name := text(metadata, "name")
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.namespaced && s.tables["/namespaces"].items[namespace] == nil {
		return nil, notFound(byPath["v1/namespaces"], namespace)
	}
	if k.plural == "events" {
		obj = stored(k, obj)
	}
	if refused := s.admit(k, obj); refused != nil {
		return nil, refused
	}
	if refused := validate(k, obj); refused != nil {
		return nil, refused
	}
	t := s.tables[k.table()]
	if t.items[key(namespace, name)] != nil {
		return nil, exists(k, name)
	}
	metadata = obj["metadata"].(object)
	if text(metadata, "resourceVersion") != "" {
		return nil, internal("resourceVersion should not be set on objects to be created")
	}
	metadata["uid"], metadata["creationTimestamp"] = uid(), now()
	defaulted(k, obj)
	return s.put(t, key(namespace, name), obj), nil
}

// typed checks that the object is what the path says.
func typed(k *kind, obj object) *refusal {
	if said := text(obj, "kind"); said != "" && said != k.name {
		return badRequest("%s in version %q cannot be handled as a %s", said, k.apiVersion(), k.name)
	}
	if said := text(obj, "apiVersion"); said != "" && said != k.apiVersion() {
		return badRequest("the API version in the data (%s) does not match the expected API version (%s)", said, k.apiVersion())
	}
	if _, is := obj["metadata"].(object); obj["metadata"] != nil && !is {
		return badRequest("metadata: wanted an object")
	}
	obj["kind"], obj["apiVersion"] = k.name, k.apiVersion()
	return nil
}

// update replaces an object, or its status alone.
func (s *store) update(to *target, given object) (*entry, *refusal) {
	if refused := typed(to.kind, given); refused != nil {
		return nil, refused
	}
	if name := text(given, "metadata", "name"); name != to.name {
		return nil, badRequest("the name of the object (%s) does not match the name on the URL (%s)", name, to.name)
	}
	if to.kind.plural == "events" {
		given = stored(to.kind, given)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replace(to, func(object) (object, *refusal) { return given, nil })
}

// replace stores what change makes of an object, after the checks that every change meets; the lock is held.
func (s *store) replace(to *target, change func(object) (object, *refusal)) (*entry, *refusal) {
	t := s.tables[to.kind.table()]
	place := key(to.namespace, to.name)
	e := t.items[place]
	if e == nil {
		return nil, notFound(to.kind, to.name)
	}
	given, refused := change(e.obj)
	if refused != nil {
		return nil, refused
	}
	for _, field := range []string{"resourceVersion", "uid"} {
		if said := text(given, "metadata", field); said != "" && said != text(e.obj, "metadata", field) {
			return nil, conflict(to.kind.qualified(), to.name, stale)
		}
	}
	fresh := copied(given)
	if hasStatus := len(to.kind.subresources) > 0; hasStatus {
		fresh = parted(e.obj, given, to.subresource == "status")
	}
	metadata := child(fresh, "metadata")
	metadata["uid"], metadata["creationTimestamp"] = at(e.obj, "metadata", "uid"), at(e.obj, "metadata", "creationTimestamp")
	metadata["name"] = to.name
	if to.namespace != "" {
		metadata["namespace"] = to.namespace
	}
	if to.kind.plural == "pods" && !sameSpec(e.obj, fresh) {
		return nil, invalid(to.kind, to.name, "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.tolerations` (only additions to existing tolerations) and the like")
	}
	if refused := validate(to.kind, fresh); refused != nil {
		return nil, refused
	}
	metadata["resourceVersion"] = text(e.obj, "metadata", "resourceVersion")
	if reflect.DeepEqual(fresh, e.obj) {
		return e, nil // a change that changes nothing is no new version
	}
	return s.put(t, place, fresh), nil
}

// parted is the object with only the status, or all but the status, taken from what was given.
func parted(old, given object, status bool) object {
	from, kept := given, old
	if status {
		from, kept = old, given
	}
	fresh := copied(from)
	if part, there := kept["status"]; there {
		fresh["status"] = part
	} else {
		delete(fresh, "status")
	}
	return fresh
}

func sameSpec(a, b object) bool {
	return reflect.DeepEqual(fixed(a), fixed(b))
}

// fixed is the part of a pod's spec that cannot change.
func fixed(pod object) object {
	spec := copied(pod)["spec"].(object)
	for _, may := range []string{"tolerations", "schedulingGates", "containers", "initContainers", "activeDeadlineSeconds", "terminationGracePeriodSeconds"} {
		delete(spec, may)
	}
	return spec
}

// remove deletes an object; a pod that runs gets its grace first.
func (s *store) remove(to *target, options object, query url.Values) (*entry, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[to.kind.table()]
	place := key(to.namespace, to.name)
	e := t.items[place]
	if e == nil {
		return nil, notFound(to.kind, to.name)
	}
	for option, field := range map[string]string{"uid": "uid", "resourceVersion": "resourceVersion"} {
		wanted, is := text(options, "preconditions", option), text(e.obj, "metadata", field)
		if wanted != "" && wanted != is {
			return nil, conflict(to.kind.qualified(), to.name, fmt.Sprintf("Precondition failed: %s in precondition: %s, in object meta: %s", field, wanted, is))
		}
	}
	grace := gracePeriod(to.kind, e.obj, options, query)
	finalizers, _ := at(e.obj, "metadata", "finalizers").([]any)
	if grace == 0 && len(finalizers) == 0 {
		return s.drop(t, place), nil
	}
	if text(e.obj, "metadata", "deletionTimestamp") != "" {
		return e, nil
	}
	fresh := copied(e.obj)
	metadata := fresh["metadata"].(object)
	metadata["deletionTimestamp"] = time.Now().UTC().Add(time.Duration(grace) * time.Second).Format(time.RFC3339)
	metadata["deletionGracePeriodSeconds"] = grace
	return s.put(t, place, fresh), nil
}

// gracePeriod is how many seconds an object gets: a pod that has a node and is not finished what it asks for.
func gracePeriod(k *kind, obj, options object, query url.Values) int {
	if k.plural != "pods" || text(obj, "spec", "nodeName") == "" {
		return 0
	}
	if phase := text(obj, "status", "phase"); phase == "Succeeded" || phase == "Failed" {
		return 0
	}
	if seconds, err := strconv.Atoi(query.Get("gracePeriodSeconds")); err == nil {
		return seconds
	}
	for _, value := range []any{options["gracePeriodSeconds"], at(obj, "spec", "terminationGracePeriodSeconds")} {
		if seconds, is := value.(float64); is {
			return int(seconds)
		}
	}
	return 30
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

func uid() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
