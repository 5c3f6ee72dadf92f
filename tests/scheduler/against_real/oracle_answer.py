"""What the oracle makes of a case, in the form of the reference program's answer."""

from __future__ import annotations

import msgspec
from cases import Case
from oracle import framework, preemption
from oracle.cluster import Cluster
from oracle.profile import WEIGHTS, Profile
from oracle.scene import Refusal, Scene

from idcbench.scheduler.objects import Pod

from .reference import Answer, Candidate, Preemption, Refused


def oracle_answer(case: Case) -> Answer:
    """Everything but the choice among equals."""
    scene = Scene(Cluster.of(case["objects"]), Profile.of(case.get("configuration")), msgspec.convert(case["pod"], Pod))
    if framework.gated(scene.pod):
        return Answer(id=case["id"], gated=Refused("SchedulingGates"))
    refusals, bar = framework.refusals_in(scene), framework.barred(scene)
    feasible = sorted(node for node, refusal in refusals.items() if refusal is None)
    scores = framework.scores(scene.cluster, scene.pod, feasible, scene.profile)
    return Answer(
        id=case["id"],
        feasible=tuple(feasible),
        refused={} if bar else {node: _refused(refusal) for node, refusal in refusals.items() if refusal},
        barred=_refused(bar) if bar else None,
        scores={
            plugin: {node: (raw, score, WEIGHTS[plugin] * score) for node, (raw, score) in nodes.items()}
            for plugin, nodes in scores.items()
        },
        totals=framework.total(scores, feasible),
        message=framework.words(scene),
        preemption=None if feasible else _preemption(scene),
    )


def _refused(refusal: Refusal) -> Refused:
    code = "Unschedulable" if refusal.resolvable else "UnschedulableAndUnresolvable"
    return Refused(refusal.plugin, code, tuple(sorted(refusal.reasons)))


def _preemption(scene: Scene) -> Preemption:
    found = preemption.candidates(scene.cluster, scene.pod, scene.profile)
    best = preemption.best(found)
    reason = preemption.ineligible(scene, framework.refusals_in(scene))
    return Preemption(
        candidates={c.node: Candidate(tuple(v.key for v in c.victims), c.violations) for c in found},
        ineligible=reason,
        message="" if found or reason else preemption.words(scene),
        chosen=best[0].node if best else "",
    )
