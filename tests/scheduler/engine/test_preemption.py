"""Whom the engine takes away, whom it waits for, what it says when nobody can go; and where a nominated pod goes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from idcbench.scheduler.decisions import NoPreemption, Placed, Preemption
from idcbench.scheduler.engine import ClusterEngine
from idcbench.scheduler.objects import CSINode, DisruptionBudget, Node, Pod

HOST = "kubernetes.io/hostname"
WEB = {"matchLabels": {"app": "web"}}


def node(name: str, *, cpu: str = "4", pods: str = "10", **labels: str) -> Node:
    room = {"cpu": cpu, "memory": "8Gi", "pods": pods}
    metadata = {"name": name, "labels": {HOST: name, **labels}}
    return msgspec.convert({"metadata": metadata, "status": {"allocatable": room}}, Node)


def pod(
    name: str, *, on: str = "", cpu: str = "1", priority: int = 0, app: str = "web",
    meta: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **spec: Any,
) -> Pod:  # fmt: skip
    metadata = {"name": name, "namespace": "default", "uid": name, "labels": {"app": app}} | (meta or {})
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
    given = {"nodeName": on, "priority": priority, "containers": [container]} | spec
    return msgspec.convert({"metadata": metadata, "spec": given, "status": status or {}}, Pod)


def engine(*objects: Node | Pod | DisruptionBudget) -> ClusterEngine:
    made = ClusterEngine()
    for obj in objects:
        kind = {Node: "nodes", Pod: "pods", DisruptionBudget: "poddisruptionbudgets"}[type(obj)]
        made.set(kind, obj)  # type: ignore[arg-type]
    return made


def victims(answer: Preemption | NoPreemption) -> tuple[str, list[str], int]:
    assert isinstance(answer, Preemption), answer
    return answer.node, sorted(each.metadata.name for each in answer.victims), answer.violations


@pytest.mark.parametrize("told", ["engine", "status"])
def test_a_pod_goes_to_the_node_that_it_is_nominated_to(told: str) -> None:
    """Though another one is emptier, and so better (schedule_one.go, evaluateNominatedNode)."""
    made = engine(node("a"), node("b"), pod("there", on="a", cpu="2"))
    waiting = pod("new", status={"nominatedNodeName": "a"} if told == "status" else None)
    if told == "engine":
        made.nominate(waiting, "a")
    (answer,) = made.decide([waiting])
    assert isinstance(answer, Placed)
    assert answer.node == "a"


def test_a_pod_goes_elsewhere_when_the_node_that_it_is_nominated_to_is_full() -> None:
    made = engine(node("a"), node("b"), pod("there", on="a", cpu="4"))
    (answer,) = made.decide([pod("new", status={"nominatedNodeName": "a"})])
    assert isinstance(answer, Placed)
    assert answer.node == "b"


@pytest.mark.parametrize(("disrupted", "violations"), [({}, 1), ({"there": "2026-01-01T00:00:00Z"}, 0)])
def test_a_budget_does_not_count_again_whom_it_counts_as_disrupted(disrupted: dict[str, str], violations: int) -> None:
    status = {"disruptionsAllowed": 0, "disruptedPods": disrupted}
    body = {"metadata": {"name": "b", "namespace": "default"}, "spec": {"selector": WEB}, "status": status}
    made = engine(node("a", cpu="1"), pod("there", on="a"), msgspec.convert(body, DisruptionBudget))
    assert victims(made.preempt(pod("new", priority=10))) == ("a", ["there"], violations)


def test_spreading_counts_whom_preemption_takes_away_though_they_are_being_deleted() -> None:
    """As kube-scheduler does (podtopologyspread, updateWithPod), though it had not counted them before."""
    spread = {"maxSkew": 1, "topologyKey": HOST, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": WEB}

    def there(name: str, on: str, hour: int, app: str = "web", **meta: Any) -> Pod:
        return pod(name, on=on, cpu="0", app=app, meta=meta, status={"startTime": f"2026-01-01T0{hour}:00:00Z"})

    made = engine(
        node("a"), node("b", pods="1"), there("one", "a", 2), there("other", "b", 1, app="db"),
        there("leaving", "a", 3, labels={"app": "web"}, deletionTimestamp="2026-01-01T00:00:00Z"),
    )  # fmt: skip
    new = pod("new", priority=10, topologySpreadConstraints=[spread])
    assert made.feasible(new) == frozenset()
    # with both gone -1 is left on a, so that one of them may stay: the one that began first
    assert victims(made.preempt(new)) == ("a", ["leaving"], 0)


@pytest.mark.parametrize(
    ("reason", "waits"), [("PreemptionByScheduler", True), ("EvictionByEvictionAPI", False), (None, False)]
)
def test_a_pod_waits_for_victims_of_preemption_alone(reason: str | None, waits: bool) -> None:
    told = [{"type": "DisruptionTarget", "status": "True", "reason": reason}] if reason else []
    meta = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    leaving = pod("leaving", on="a", meta=meta, status={"conditions": told})
    made = engine(node("a", cpu="1"), leaving)
    answer = made.preempt(pod("new", priority=10, status={"nominatedNodeName": "a"}))
    if waits:
        assert answer == NoPreemption("not eligible due to a terminating pod on the nominated node.")
    else:
        assert victims(answer)[:2] == ("a", ["leaving"])


def test_what_is_said_when_nobody_can_go() -> None:
    """One node is too small at all, one has nobody lower, one is still too full without those who are."""
    made = engine(
        node("small", cpu="1"), node("equals", cpu="2"), node("mixed", cpu="2"),
        pod("e", on="equals", cpu="2", priority=10), pod("m", on="mixed", priority=10), pod("n", on="mixed"),
    )  # fmt: skip
    assert made.preempt(pod("new", cpu="2", priority=10)) == NoPreemption(
        "0/3 nodes are available: 1 Insufficient cpu, 1 No preemption victims found for incoming pod, "
        "1 Preemption is not helpful for scheduling."
    )


def test_nodes_that_the_pod_does_not_name_are_beyond_help() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["a"]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    equal = [pod(name, on=name, priority=10) for name in "ab"]
    made = engine(node("a", cpu="1"), node("b", cpu="1"), *equal)
    assert made.preempt(pod("new", priority=10, affinity=affinity)) == NoPreemption(
        "0/2 nodes are available: 1 No preemption victims found for incoming pod, "
        "1 Preemption is not helpful for scheduling."
    )


def test_a_shared_volume_that_would_have_to_be_attached_anew_keeps_a_node_from_being_freed() -> None:
    """With its other user gone, the volume needs a place of its own, and the node has none (limit 0)."""
    made = engine(node("a", cpu="1"), node("b", cpu="1"))
    disk = [{"name": "v", "gcePersistentDisk": {"pdName": "disk", "readOnly": True}}]
    drivers = [{"name": "pd.csi.storage.gke.io", "nodeID": "a", "allocatable": {"count": 0}}]
    made.set("csinodes", msgspec.convert({"metadata": {"name": "a"}, "spec": {"drivers": drivers}}, CSINode))
    made.set("pods", pod("user", on="a", volumes=disk))
    made.set("pods", pod("other", on="b", priority=5))
    assert victims(made.preempt(pod("new", priority=10, volumes=disk)))[:2] == ("b", ["other"])


def test_of_equal_victims_those_go_that_began_last_by_what_their_status_says_in_the_end() -> None:
    made = engine(node("a", cpu="1"), node("b", cpu="1"), pod("first", on="a"), pod("second", on="b"))
    for name, on, hour in (("first", "a", 1), ("second", "b", 2)):
        made.set("pods", pod(name, on=on, status={"startTime": f"2026-01-01T0{hour}:00:00Z"}))
    assert victims(made.preempt(pod("new", priority=10)))[:2] == ("b", ["second"])


def test_a_pod_that_has_not_begun_goes_before_one_that_has() -> None:
    begun = {"startTime": "2099-01-01T00:00:00Z"}
    made = engine(node("a", cpu="1"), node("b", cpu="1"), pod("begun", on="a", status=begun), pod("not", on="b"))
    assert victims(made.preempt(pod("new", priority=10)))[:2] == ("b", ["not"])
