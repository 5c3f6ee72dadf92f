"""What the engine makes of pods and policies that are out of the ordinary."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from idcbench.scheduler.decisions import Placed, Unplaced
from idcbench.scheduler.engine import ClusterEngine
from idcbench.scheduler.objects import Pod, Service, SpreadConstraint
from idcbench.scheduler.policy import Policy

from .test_preemption import HOST, WEB, engine, node, pod

AT_HOST = {"topologyKey": HOST, "whenUnsatisfiable": "DoNotSchedule"}
NEAR = {"matchExpressions": [{"key": "app", "operator": "Near", "values": ["web"]}]}


def avoiding(*selectors: dict[str, Any]) -> dict[str, Any]:
    terms = [{"topologyKey": HOST, "labelSelector": selector} for selector in selectors]
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


@pytest.mark.parametrize(
    "spec",
    [
        {"affinity": avoiding(NEAR)},
        {"topologySpreadConstraints": [{**AT_HOST, "labelSelector": NEAR}]},
        {"nodeSelector": {"no key at all!": "x"}},
    ],
)
def test_a_placed_pod_takes_its_room_whatever_of_it_cannot_be_read(spec: dict[str, Any]) -> None:
    made = engine(node("a", cpu="1"), pod("there", on="a", **spec))
    (answer,) = made.decide([pod("new")])
    assert isinstance(answer, Unplaced)
    assert answer.reasons == (("Insufficient cpu", 1),)


def test_a_list_of_terms_is_read_as_a_whole_or_not_at_all() -> None:
    """As kube-scheduler does (framework/types.go, PodInfo.Update)."""
    assert engine(node("a"), pod("there", on="a", affinity=avoiding(WEB))).feasible(pod("new")) == frozenset()
    broken = pod("there", on="a", affinity=avoiding(WEB, NEAR))
    made = engine(node("a"), broken)
    assert made.feasible(pod("new")) == {"a"}
    assert made.feasible(pod("new", cpu="4")) == frozenset(), "it takes its room all the same"


def test_a_nominated_pod_holds_room_whatever_of_it_cannot_be_read() -> None:
    made = engine(node("a", cpu="1"))
    made.nominate(pod("held", affinity=avoiding(NEAR)), "a")
    assert made.feasible(pod("new")) == frozenset()


def test_default_constraints_that_filter_count_on_the_node_that_a_daemon_names() -> None:
    """nodeAffinityPolicy Honor: for each pod of a DaemonSet there is one domain, fewer than two, and so none may be
    above another."""
    line = SpreadConstraint(max_skew=1, topology_key=HOST, when_unsatisfiable="DoNotSchedule", min_domains=2)
    made = ClusterEngine((Policy(spread_defaulting="List", spread_defaults=(line,)),))
    service = {"metadata": {"name": "s", "namespace": "default"}, "spec": {"selector": {"app": "web"}}}
    made.set("services", msgspec.convert(service, Service))
    for name in "ab":
        made.set("nodes", node(name))

    def daemon(name: str, on: str) -> Pod:
        field = {"key": "metadata.name", "operator": "In", "values": [on]}
        required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
        return pod(name, affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}})

    placed = made.decide([daemon("one", "b"), daemon("two", "a"), daemon("three", "a")])
    assert [answer.node if isinstance(answer, Placed) else None for answer in placed] == ["b", "a", None]


def test_an_empty_selector_counts_no_pod_though_it_matches_the_new_one() -> None:
    """As kube-scheduler's countPodsMatchSelector."""
    spread = [{**AT_HOST, "maxSkew": 1, "labelSelector": {}}]
    crowd = [pod(name, on="a", cpu="100m") for name in "pqr"]
    assert engine(node("a"), node("b"), *crowd).feasible(pod("new", topologySpreadConstraints=spread)) == {"a", "b"}


def test_only_extended_resources_can_be_ignored() -> None:
    """fit.go looks at the list for those alone."""
    made = ClusterEngine((Policy(ignored_resources=frozenset(("cpu", "example.com/gpu"))),))
    made.set("nodes", node("a", cpu="1"))
    assert made.feasible(pod("new", cpu="2")) == frozenset()
    container = {"name": "c", "resources": {"requests": {"example.com/gpu": "1"}}}
    assert made.feasible(pod("new", containers=[container])) == {"a"}


def test_a_new_pod_is_scored_by_its_own_requests_though_a_resized_one_takes_as_much() -> None:
    """The resized one asks for more than it is said to have; both count alike on a node, not when they are placed."""
    resized = [{"name": "c", "allocatedResources": {"cpu": "1"}, "resources": {"requests": {"cpu": "1"}}}]
    there = pod("there", on="b", cpu="0", status={"containerStatuses": resized})
    made, fresh = engine(node("a"), node("b"), there), engine(node("a"), node("b"))
    ours, theirs = made.explain(pod("new")), fresh.explain(pod("new"))
    assert [s for s in ours.best if s.node == "a"] == [s for s in theirs.best if s.node == "a"]


def test_a_name_and_an_affinity_by_name_that_differ_leave_no_node() -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["a"]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    made = engine(node("a"), node("b"))
    assert made.feasible(pod("new", nodeName="b", affinity=affinity)) == frozenset()
    assert made.feasible(pod("new", nodeName="a", affinity=affinity)) == {"a"}
