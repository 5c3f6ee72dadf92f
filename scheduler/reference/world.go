package main

import (
	"context"
	"encoding/json"
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme"
	internalcache "k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// world holds a scheduler per configuration. Their informers are never started: their stores are filled by hand with
// the objects of each case, and so is the snapshot that the scheduler would take at the start of a cycle.
type world struct {
	ctx    context.Context
	brains map[string]*brain
}

type brain struct {
	scheduler *scheduler.Scheduler
	framework framework.Framework
	snapshot  *internalcache.Snapshot
	informers informers.SharedInformerFactory
	profile   config.KubeSchedulerProfile
	weights   map[string]int64
	nominated []*v1.Pod
}

func newWorld(ctx context.Context) *world {
	return &world{ctx: ctx, brains: map[string]*brain{}}
}

func (w *world) brain(configuration json.RawMessage) (*brain, error) {
	key := string(configuration)
	if known, ok := w.brains[key]; ok {
		return known, nil
	}
	if len(configuration) == 0 {
		configuration = json.RawMessage(`{"apiVersion":"kubescheduler.config.k8s.io/v1","kind":"KubeSchedulerConfiguration"}`)
	}
	made, err := newBrain(w.ctx, configuration)
	if err != nil {
		return nil, err
	}
	w.brains[key] = made
	return made, nil
}

func newBrain(ctx context.Context, configuration []byte) (*brain, error) {
	decoded, _, err := scheme.Codecs.UniversalDecoder().Decode(configuration, nil, nil)
	if err != nil {
		return nil, err
	}
	wanted, ok := decoded.(*config.KubeSchedulerConfiguration)
	if !ok || len(wanted.Profiles) != 1 {
		return nil, fmt.Errorf("wanted a KubeSchedulerConfiguration with one profile, got %T", decoded)
	}
	snapshot := internalcache.NewEmptySnapshot()
	client := fake.NewSimpleClientset()
	factory := scheduler.NewInformerFactory(client, 0, nil)
	recorder := func(string) events.EventRecorderLogger { return events.NewFakeRecorder(1000) }
	made, err := scheduler.New(ctx, client, factory, nil, recorder,
		scheduler.WithProfiles(wanted.Profiles...),
		scheduler.WithPercentageOfNodesToScore(ptr(int32(100))),
		scheduler.WithParallelism(1), // a case has few nodes: goroutines would cost more than they bring
		scheduler.WithNodeInfoSnapshot(snapshot),
	)
	if err != nil {
		return nil, err
	}
	profile := wanted.Profiles[0]
	b := &brain{scheduler: made, framework: made.Profiles[profile.SchedulerName], snapshot: snapshot,
		informers: factory, profile: profile, weights: map[string]int64{}}
	for _, plugin := range b.framework.ListPlugins().Score.Enabled {
		b.weights[plugin.Name] = int64(plugin.Weight)
	}
	return b, nil
}

// load makes the objects of a case what the scheduler knows.
func (b *brain) load(ctx context.Context, o *objects, pod *v1.Pod) error {
	core, apps, storage := b.informers.Core().V1(), b.informers.Apps().V1(), b.informers.Storage().V1()
	present := map[string]bool{}
	for _, node := range o.Nodes {
		present[node.Name] = true
	}
	var placed, nominated []*v1.Pod
	for _, other := range o.Pods {
		switch {
		case other.Status.Phase == v1.PodSucceeded || other.Status.Phase == v1.PodFailed:
			// the scheduler's informer asks the API server to leave these out
		case present[other.Spec.NodeName]:
			placed = append(placed, other)
		case other.Spec.NodeName == "" && other.Status.NominatedNodeName != "":
			nominated = append(nominated, other)
		}
	}
	*b.snapshot = *internalcache.NewSnapshot(placed, o.Nodes)
	err := firstError(
		fill(core.Nodes().Informer(), o.Nodes),
		fill(core.Pods().Informer(), append(append([]*v1.Pod{pod}, placed...), nominated...)),
		fill(core.Namespaces().Informer(), o.Namespaces),
		fill(core.Services().Informer(), o.Services),
		fill(core.ReplicationControllers().Informer(), o.ReplicationControllers),
		fill(apps.ReplicaSets().Informer(), o.ReplicaSets),
		fill(apps.StatefulSets().Informer(), o.StatefulSets),
		fill(b.informers.Policy().V1().PodDisruptionBudgets().Informer(), o.DisruptionBudgets),
		fill(core.PersistentVolumes().Informer(), o.Volumes),
		fill(core.PersistentVolumeClaims().Informer(), o.Claims),
		fill(storage.StorageClasses().Informer(), o.StorageClasses),
		fill(storage.CSINodes().Informer(), o.CSINodes),
		fill(storage.CSIDrivers().Informer(), o.CSIDrivers),
		fill(storage.CSIStorageCapacities().Informer(), o.CSIStorageCapacities),
		fill(storage.VolumeAttachments().Informer(), o.VolumeAttachments),
	)
	if err != nil {
		return err
	}
	b.nominate(ctx, nominated)
	return nil
}

// nominate puts pods into the queue, where the scheduler looks up what it nominated.
func (b *brain) nominate(ctx context.Context, pods []*v1.Pod) {
	queue := b.scheduler.SchedulingQueue
	for _, pod := range b.nominated {
		queue.Delete(klog.FromContext(ctx), pod)
	}
	b.nominated = pods
	for _, pod := range pods {
		queue.Add(ctx, pod)
	}
}

func fill[T runtime.Object](informer cache.SharedIndexInformer, items []T) error {
	all := make([]any, len(items))
	for i, item := range items {
		all[i] = item
	}
	return informer.GetIndexer().Replace(all, "")
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func ptr[T any](value T) *T { return &value }
