package main

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
)

// question is one case: a cluster, and a pod to place in it.
type question struct {
	ID string `json:"id"`
	// Configuration is a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1); without one the defaults hold.
	Configuration json.RawMessage `json:"configuration,omitempty"`
	Objects       objects         `json:"objects"`
	Pod           v1.Pod          `json:"pod"`
	// Preempt asks for victims when no node is feasible.
	Preempt bool `json:"preempt,omitempty"`
}

// objects are those of the cluster, by the plurals of the API. A pod without a node that is nominated to one counts
// there as kube-scheduler lets it count.
type objects struct {
	Nodes                  []*v1.Node                      `json:"nodes"`
	Pods                   []*v1.Pod                       `json:"pods"`
	Namespaces             []*v1.Namespace                 `json:"namespaces"`
	Services               []*v1.Service                   `json:"services"`
	ReplicationControllers []*v1.ReplicationController     `json:"replicationcontrollers"`
	ReplicaSets            []*appsv1.ReplicaSet            `json:"replicasets"`
	StatefulSets           []*appsv1.StatefulSet           `json:"statefulsets"`
	DisruptionBudgets      []*policyv1.PodDisruptionBudget `json:"poddisruptionbudgets"`
	Volumes                []*v1.PersistentVolume          `json:"persistentvolumes"`
	Claims                 []*v1.PersistentVolumeClaim     `json:"persistentvolumeclaims"`
	StorageClasses         []*storagev1.StorageClass       `json:"storageclasses"`
	CSINodes               []*storagev1.CSINode            `json:"csinodes"`
	CSIDrivers             []*storagev1.CSIDriver          `json:"csidrivers"`
	CSIStorageCapacities   []*storagev1.CSIStorageCapacity `json:"csistoragecapacities"`
	VolumeAttachments      []*storagev1.VolumeAttachment   `json:"volumeattachments"`
}

// answer is what kube-scheduler makes of a case. Scores are there whenever a node is feasible, also a single one,
// which kube-scheduler takes unscored.
type answer struct {
	ID       string                         `json:"id"`
	Error    string                         `json:"error,omitempty"`
	Gated    *refusal                       `json:"gated,omitempty"`
	Barred   *refusal                       `json:"barred,omitempty"` // by a PreFilter plugin, on every node
	Refused  map[string]*refusal            `json:"refused,omitempty"`
	Feasible []string                       `json:"feasible,omitempty"`
	Scores   map[string]map[string][3]int64 `json:"scores,omitempty"` // plugin, node: raw, normalised, weighted
	Totals   map[string]int64               `json:"totals,omitempty"`
	// Chosen is what Scheduler.SchedulePod picked of the same case; ties are random. Message is what it said instead.
	Chosen     string      `json:"chosen,omitempty"`
	Message    string      `json:"message,omitempty"`
	Preemption *preemption `json:"preemption,omitempty"`
}

type refusal struct {
	Plugin  string   `json:"plugin"`
	Code    string   `json:"code"`
	Reasons []string `json:"reasons"`
}

// preemption tells the victims on each node where evicting them makes room, and the node that is picked of those.
type preemption struct {
	Ineligible string                `json:"ineligible,omitempty"`
	Message    string                `json:"message,omitempty"` // when no node is a candidate
	Candidates map[string]*candidate `json:"candidates,omitempty"`
	Chosen     string                `json:"chosen,omitempty"`
}

type candidate struct {
	Victims    []string `json:"victims"` // namespace/name, in the order that kube-scheduler holds them
	Violations int64    `json:"violations"`
}
