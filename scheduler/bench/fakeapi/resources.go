package main

// kind is a resource that is served.
type kind struct {
	group, version, plural, name string
	namespaced                   bool
	subresources                 []string
}

// apiVersion is what objects of the kind say of themselves.
func (k *kind) apiVersion() string {
	if k.group == "" {
		return k.version
	}
	return k.group + "/" + k.version
}

// qualified is how error messages name the resource: pods, leases.coordination.k8s.io.
func (k *kind) qualified() string {
	if k.group == "" {
		return k.plural
	}
	return k.plural + "." + k.group
}

// kinds is everything that kube-scheduler 1.37 lists and watches, and what a benchmark creates.
var kinds = []*kind{
	{"", "v1", "pods", "Pod", true, []string{"status", "binding"}},
	{"", "v1", "nodes", "Node", false, []string{"status"}},
	{"", "v1", "namespaces", "Namespace", false, []string{"status"}},
	{"", "v1", "services", "Service", true, []string{"status"}},
	{"", "v1", "configmaps", "ConfigMap", true, nil},
	{"", "v1", "replicationcontrollers", "ReplicationController", true, []string{"status"}},
	{"", "v1", "persistentvolumes", "PersistentVolume", false, []string{"status"}},
	{"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true, []string{"status"}},
	{"", "v1", "events", "Event", true, nil},
	{"events.k8s.io", "v1", "events", "Event", true, nil},
	{"apps", "v1", "replicasets", "ReplicaSet", true, []string{"status"}},
	{"apps", "v1", "statefulsets", "StatefulSet", true, []string{"status"}},
	{"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true, []string{"status"}},
	{"storage.k8s.io", "v1", "storageclasses", "StorageClass", false, nil},
	{"storage.k8s.io", "v1", "csinodes", "CSINode", false, nil},
	{"storage.k8s.io", "v1", "csidrivers", "CSIDriver", false, nil},
	{"storage.k8s.io", "v1", "csistoragecapacities", "CSIStorageCapacity", true, nil},
	{"storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", false, []string{"status"}},
	{"scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", false, nil},
	{"scheduling.k8s.io", "v1beta1", "podgroups", "PodGroup", true, []string{"status"}},
	{"scheduling.k8s.io", "v1beta1", "workloads", "Workload", true, []string{"status"}},
	{"resource.k8s.io", "v1", "resourceclaims", "ResourceClaim", true, []string{"status"}},
	{"resource.k8s.io", "v1", "resourceclaimtemplates", "ResourceClaimTemplate", true, nil},
	{"resource.k8s.io", "v1", "resourceslices", "ResourceSlice", false, nil},
	{"resource.k8s.io", "v1", "deviceclasses", "DeviceClass", false, nil},
	{"resource.k8s.io", "v1", "devicetaintrules", "DeviceTaintRule", false, []string{"status"}},
	{"resource.k8s.io", "v1beta2", "devicetaintrules", "DeviceTaintRule", false, []string{"status"}},
	{"resource.k8s.io", "v1beta2", "resourcepoolstatusrequests", "ResourcePoolStatusRequest", false, []string{"status"}},
	{"coordination.k8s.io", "v1", "leases", "Lease", true, nil},
}

var byPath = func() map[string]*kind {
	found := map[string]*kind{}
	for _, k := range kinds {
		found[k.apiVersion()+"/"+k.plural] = k
	}
	return found
}()

// table is where objects of a kind are kept: both kinds of events are one.
func (k *kind) table() string {
	if k.plural == "events" {
		return "events.k8s.io/v1/events"
	}
	return k.group + "/" + k.plural
}

// discovery answers /api, /apis, /api/v1, /apis/GROUP and /apis/GROUP/VERSION; nil where there is nothing.
func discovery(path string) object {
	switch path {
	case "/api":
		return object{"kind": "APIVersions", "versions": []any{"v1"}}
	case "/apis":
		return object{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups()}
	case "/version":
		return object{"major": "1", "minor": "37", "gitVersion": "v1.37.2", "platform": "in-memory"}
	}
	for _, prefix := range []string{"/api/", "/apis/"} {
		if len(path) > len(prefix) && path[:len(prefix)] == prefix {
			if list := resourceList(path[len(prefix):]); list != nil {
				return list
			}
		}
	}
	return nil
}

func groups() []any {
	found := []any{}
	seen := map[string]object{}
	for _, k := range kinds {
		if k.group == "" {
			continue
		}
		version := object{"groupVersion": k.apiVersion(), "version": k.version}
		group, known := seen[k.group]
		if !known {
			group = object{"name": k.group, "versions": []any{}, "preferredVersion": version}
			seen[k.group] = group
			found = append(found, group)
		}
		versions := group["versions"].([]any)
		if len(versions) == 0 || versions[len(versions)-1].(object)["version"] != k.version {
			group["versions"] = append(versions, version)
		}
	}
	return found
}

func resourceList(groupVersion string) object {
	list := []any{}
	for _, k := range kinds {
		if k.apiVersion() != groupVersion {
			continue
		}
		verbs := []any{"create", "delete", "get", "list", "patch", "update", "watch"}
		list = append(list, object{"name": k.plural, "singularName": "", "namespaced": k.namespaced, "kind": k.name, "verbs": verbs})
		for _, sub := range k.subresources {
			list = append(list, object{"name": k.plural + "/" + sub, "singularName": "", "namespaced": k.namespaced, "kind": k.name, "verbs": []any{"create", "get", "patch", "update"}})
		}
	}
	if len(list) == 0 {
		return nil
	}
	return object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": groupVersion, "resources": list}
}
