package main

import (
	"context"
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
)

// preempt asks DefaultPreemption for its candidates and its pick, without carrying it out.
func (b *brain) preempt(ctx context.Context, state fwk.CycleState, pod *v1.Pod, statuses *framework.NodeToStatus) (*preemption, error) {
	plugin, err := b.preemptor(ctx)
	if err != nil {
		return nil, err
	}
	given := &preemption{Candidates: map[string]*candidate{}}
	if ok, why := plugin.PodEligibleToPreemptOthers(ctx, pod, statuses.Get(pod.Status.NominatedNodeName)); !ok {
		given.Ineligible = why
		return given, nil
	}
	nodes, err := statuses.NodesForStatusCode(b.snapshot.NodeInfos(), fwk.Unschedulable)
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 {
		given.Message = b.noCandidate(pod, framework.NewDefaultNodeToStatus())
		return given, nil
	}
	budgets, err := b.informers.Policy().V1().PodDisruptionBudgets().Lister().List(labels.Everything())
	if err != nil {
		return nil, err
	}
	found, tried, err := plugin.Evaluator.DryRunPreemption(ctx, state, pod, nodes, budgets, 0, int32(len(nodes)))
	if err != nil && len(found) == 0 {
		return nil, err
	}
	for _, one := range found {
		c := &candidate{Violations: one.Victims().NumPDBViolations}
		for _, victim := range one.Victims().Pods {
			c.Victims = append(c.Victims, victim.Namespace+"/"+victim.Name)
		}
		given.Candidates[one.Name()] = c
	}
	if len(found) == 0 {
		given.Message = b.noCandidate(pod, tried)
	}
	if best := plugin.Evaluator.SelectCandidate(ctx, found); best != nil {
		given.Chosen = best.Name()
	}
	return given, nil
}

// noCandidate says what the event of the pod says then, after "preemption: ".
func (b *brain) noCandidate(pod *v1.Pod, tried *framework.NodeToStatus) string {
	tried.SetAbsentNodesStatus(fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "Preemption is not helpful for scheduling"))
	all, _ := b.snapshot.NodeInfos().List() // the list of a snapshot is at hand
	unfit := &framework.FitError{Pod: pod, NumAllNodes: len(all), Diagnosis: framework.Diagnosis{NodeToStatus: tried}}
	return unfit.Error()
}

func (b *brain) preemptor(ctx context.Context) (*defaultpreemption.DefaultPreemption, error) {
	for _, plugin := range b.profile.PluginConfig {
		if plugin.Name == defaultpreemption.Name {
			features := feature.NewSchedulerFeaturesFromGates(utilfeature.DefaultFeatureGate)
			return defaultpreemption.New(ctx, plugin.Args, b.framework, features)
		}
	}
	return nil, fmt.Errorf("the configuration has no arguments for %s", defaultpreemption.Name)
}
