"""Where the oracle and kube-scheduler's framework differ on a case."""

from __future__ import annotations

import msgspec
from cases import Case
from oracle import framework, preemption
from oracle.cluster import Cluster
from oracle.profile import Profile
from oracle.scene import Refusal, Scene

from idcbench.scheduler.objects import Pod

from .reference import Answer, Refused


def oracle_differences(case: Case, real: Answer) -> list[str]:
    """Each difference as one line; none when the oracle says the same."""
    cluster = Cluster.of(case["objects"])
    pod = msgspec.convert(case["pod"], Pod)
    profile = Profile.of(case.get("configuration"))
    if framework.gated(pod) or real.gated:
        return [] if framework.gated(pod) == (real.gated is not None) else [f"gated: really {real.gated}"]
    scene = Scene(cluster, profile, pod)
    if (said := framework.words(scene)) != real.message:
        return [f"says {said!r}, really {real.message!r}"]
    if (bar := framework.barred(scene)) or real.barred:
        return [] if _same(bar, real.barred) else [f"barred by {bar}, really by {real.barred}"]
    refusals = framework.refusals_in(scene)
    found = [
        f"{node}: refused by {refusal}, really by {real.refused.get(node)}"
        for node, refusal in refusals.items()
        if not _same(refusal, real.refused.get(node))
    ]
    return found or _score_differences(cluster, pod, profile, real) or _preemption_differences(scene, real)


def _same(refusal: Refusal | None, real: Refused | None) -> bool:
    if refusal is None or real is None:
        return refusal is None and real is None
    code = "Unschedulable" if refusal.resolvable else "UnschedulableAndUnresolvable"
    return (refusal.plugin, refusal.reasons, code) == (real.plugin, frozenset(real.reasons), real.code)


def _score_differences(cluster: Cluster, pod: Pod, profile: Profile, real: Answer) -> list[str]:
    ours = framework.scores(cluster, pod, list(real.feasible), profile)
    theirs = {plugin: {n: (s[0], s[1]) for n, s in nodes.items()} for plugin, nodes in real.scores.items()}
    found = [
        f"{plugin}: scores {ours.get(plugin)}, really {theirs.get(plugin)}"
        for plugin in sorted(ours.keys() | theirs.keys())
        if ours.get(plugin) != theirs.get(plugin)
    ]
    totals = framework.total(ours, list(real.feasible))
    if not found and totals != real.totals:
        found.append(f"totals {totals}, really {real.totals}")
    return found


def _preemption_differences(scene: Scene, real: Answer) -> list[str]:
    if real.preemption is None:
        return []
    found = preemption.candidates(scene.cluster, scene.pod, scene.profile)
    ours = {each.node: ([victim.key for victim in each.victims], each.violations) for each in found}
    theirs = {node: (list(each.victims), each.violations) for node, each in real.preemption.candidates.items()}
    if ours != theirs:
        return [f"victims {ours}, really {theirs}"]
    said, really = preemption.words(scene), real.preemption.ineligible or real.preemption.message
    if not found and said != really:
        return [f"says of preemption {said!r}, really {really!r}"]
    nodes = [each.node for each in preemption.best(found)]
    return [] if not found or real.preemption.chosen in nodes else [f"preempts on {nodes}, really {real.preemption}"]
