package main

import (
	"context"
	"errors"
	"fmt"
	"sort"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/framework"
)

// answer runs one scheduling cycle from PreEnqueue to NormalizeScore, looking at every node.
func (w *world) answer(ctx context.Context, asked *question) (*answer, error) {
	b, err := w.brain(asked.Configuration)
	if err != nil {
		return nil, err
	}
	if err := b.load(ctx, &asked.Objects, &asked.Pod); err != nil {
		return nil, err
	}
	given := &answer{ID: asked.ID, Refused: map[string]*refusal{}, Feasible: []string{},
		Scores: map[string]map[string][3]int64{}, Totals: map[string]int64{}}
	for _, plugin := range b.framework.PreEnqueuePlugins() {
		if status := plugin.PreEnqueue(ctx, &asked.Pod); !status.IsSuccess() {
			given.Gated = refusalOf(status.WithPlugin(plugin.Name()))
			return given, nil
		}
	}
	state := framework.NewCycleState()
	feasible, statuses, err := b.filter(ctx, state, &asked.Pod, given)
	if err != nil {
		return nil, err
	}
	if len(feasible) > 0 {
		if err := b.score(ctx, state, &asked.Pod, feasible, given); err != nil {
			return nil, err
		}
	} else if asked.Preempt {
		if given.Preemption, err = b.preempt(ctx, state, &asked.Pod, statuses); err != nil {
			return nil, err
		}
	}
	given.Chosen, given.Message, err = b.choose(ctx, &asked.Pod)
	return given, err
}

// filter does what Scheduler.findNodesThatFitPod does, but keeps why each node was refused.
func (b *brain) filter(ctx context.Context, state fwk.CycleState, pod *v1.Pod, given *answer) ([]fwk.NodeInfo, *framework.NodeToStatus, error) {
	nodes, err := b.snapshot.NodeInfos().List()
	if err != nil {
		return nil, nil, err
	}
	statuses := framework.NewDefaultNodeToStatus()
	narrowed, status, plugins := b.framework.RunPreFilterPlugins(ctx, state, pod)
	if !status.IsSuccess() {
		if !status.IsRejected() {
			return nil, nil, status.AsError()
		}
		given.Barred = refusalOf(status)
		statuses.SetAbsentNodesStatus(status)
		return nil, statuses, nil
	}
	var feasible []fwk.NodeInfo
	for _, node := range nodes {
		name := node.Node().Name
		if !narrowed.AllNodes() && !narrowed.NodeNames.Has(name) {
			said := fwk.NewStatus(fwk.UnschedulableAndUnresolvable, fmt.Sprintf("node(s) didn't satisfy plugin(s) %v", sets.List(plugins)))
			statuses.SetAbsentNodesStatus(said)
			given.Refused[name] = refusalOf(said.WithPlugin(sets.List(plugins)[0]))
			continue
		}
		status := b.framework.RunFilterPluginsWithNominatedPods(ctx, state, pod, node)
		switch {
		case status.IsSuccess():
			feasible = append(feasible, node)
			given.Feasible = append(given.Feasible, name)
		case status.IsRejected():
			statuses.Set(name, status)
			given.Refused[name] = refusalOf(status)
		default:
			return nil, nil, status.AsError()
		}
	}
	sort.Strings(given.Feasible)
	return feasible, statuses, nil
}

func (b *brain) score(ctx context.Context, state fwk.CycleState, pod *v1.Pod, feasible []fwk.NodeInfo, given *answer) error {
	if status := b.framework.RunPreScorePlugins(ctx, state, pod, feasible); !status.IsSuccess() {
		return status.AsError()
	}
	nodes, status := b.framework.RunScorePlugins(ctx, state, pod, feasible)
	if !status.IsSuccess() {
		return status.AsError()
	}
	for _, node := range nodes {
		given.Totals[node.Name] = node.TotalScore
		for i, weighted := range node.Scores {
			if given.Scores[weighted.Name] == nil {
				given.Scores[weighted.Name] = map[string][3]int64{}
			}
			given.Scores[weighted.Name][node.Name] = [3]int64{
				node.RawScores[i].Score, weighted.Score / b.weights[weighted.Name], weighted.Score}
		}
	}
	return nil
}

// choose lets the scheduler's own loop decide the same case, from the beginning: the node, or the words of its refusal.
func (b *brain) choose(ctx context.Context, pod *v1.Pod) (chosen, message string, err error) {
	info, err := framework.NewPodInfo(pod)
	if err != nil {
		return "", "", err
	}
	result, err := b.scheduler.SchedulePod(ctx, b.framework, framework.NewCycleState(), &framework.QueuedPodInfo{PodInfo: info})
	var unfit *framework.FitError
	if errors.As(err, &unfit) || errors.Is(err, scheduler.ErrNoNodesAvailable) {
		return "", err.Error(), nil
	}
	return result.SuggestedHost, "", err
}

func refusalOf(status *fwk.Status) *refusal {
	return &refusal{Plugin: status.Plugin(), Code: status.Code().String(), Reasons: status.Reasons()}
}
