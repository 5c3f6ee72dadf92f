"""Every rule of the checker: a placement that is right, and one that is not, told by its objects."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from idcbench.scheduler.bench import templates as t
from idcbench.scheduler.bench.checker import check
from idcbench.scheduler.bench.rows import ROWS
from idcbench.scheduler.objects import Node, Pod, PodGroup


def node(name: str = "a", *, zone: str = "", pods: str = "110", **spec: Any) -> Node:
    return msgspec.convert(t.node(name, zone=zone, pods=pods) | {"spec": spec}, Node)


def pod(name: str = "p", on: str = "a", **given: Any) -> Pod:
    return msgspec.convert(t.placed(t.pod(name, **given), on), Pod)


def group(least: int) -> PodGroup:
    return msgspec.convert(t.gang("g", namespace="default", least=least), PodGroup)


def one_violation(nodes: list[Node], pods: list[Pod], groups: list[PodGroup] | None = None) -> str:
    found = check(nodes, pods, groups or [])
    assert len(found) == 1, found
    return found[0]


def test_what_is_right_is_silent() -> None:
    assert check([node("a"), node("b")], [pod("p"), pod("q", "b")], []) == []


def test_a_node_that_does_not_exist() -> None:
    assert "default/p and 0 others are on node b" in one_violation([node("a")], [pod(on="b")])


@pytest.mark.parametrize(
    ("requests", "count", "resource"),
    [
        ({"cpu": "1001m"}, 4, "cpu"),
        ({"memory": "8193Mi"}, 4, "memory"),
        ({"idc/disk": "1"}, 1, "idc/disk"),
        ({"cpu": "1m"}, 111, "pods"),
    ],
)
def test_overcommitted(requests: dict[str, str], count: int, resource: str) -> None:
    said = one_violation([node()], [pod(f"p{i}", requests=requests) for i in range(count)])
    assert said.startswith("node a: ")
    assert f" {resource} taken by {count} pods" in said


def test_a_full_node_is_right() -> None:
    assert check([node()], [pod(f"p{i}", requests={"cpu": "1", "memory": "8Gi"}) for i in range(4)], []) == []


def test_finished_pods_hold_nothing() -> None:
    done = msgspec.convert(t.placed(t.pod("p", requests={"cpu": "5"}), "a") | {"status": {"phase": "Failed"}}, Pod)
    assert check([node()], [done], []) == []


@pytest.mark.parametrize(
    ("init", "taken"),
    [
        ([{"cpu": "4"}], True),
        ([{"cpu": "3900m"}], False),
        ([("Always", {"cpu": "2"}), {"cpu": "2001m"}], True),
        ([{"cpu": "3"}, ("Always", {"cpu": "3900m"})], False),
        ([("Always", {"cpu": "3901m"})], True),
    ],
)
def test_init_steps_and_sidecars(init: list[Any], taken: bool) -> None:
    """Beside another pod of 100m on 4 CPU; the pod's own container asks for 0 (steps) or stays beside a sidecar."""
    steps = []
    for number, step in enumerate(init):
        policy, requests = step if isinstance(step, tuple) else ("", step)
        container = {"name": f"i{number}", "image": "x", "resources": {"requests": requests}}
        steps.append(container | ({"restartPolicy": policy} if policy else {}))
    one = msgspec.convert(t.placed(t.pod("p", requests={"cpu": "0"}, initContainers=steps), "a"), Pod)
    assert bool(check([node()], [one, pod("q", requests={"cpu": "100m"})], [])) is taken


def test_overhead_counts() -> None:
    assert "cpu" in one_violation([node()], [pod(requests={"cpu": "4"}, overhead={"cpu": "1m"})])


@pytest.mark.parametrize(
    ("taints", "tolerations", "right"),
    [
        ([{"key": "k", "value": "v", "effect": "NoSchedule"}], [], False),
        ([{"key": "k", "value": "v", "effect": "NoExecute"}], [], False),
        ([{"key": "k", "value": "v", "effect": "PreferNoSchedule"}], [], True),
        ([{"key": "k", "value": "v", "effect": "NoSchedule"}], [{"key": "k", "value": "v"}], True),
        ([{"key": "k", "value": "v", "effect": "NoSchedule"}], [{"key": "k", "value": "w"}], False),
        ([{"key": "k", "value": "v", "effect": "NoSchedule"}], [{"operator": "Exists"}], True),
        ([{"key": "k", "effect": "NoSchedule"}], [{"key": "k", "operator": "Exists", "effect": "NoExecute"}], False),
    ],
)
def test_taints(taints: list[Any], tolerations: list[Any], right: bool) -> None:
    found = check([node(taints=taints)], [pod(tolerations=tolerations)], [])
    assert (found == []) is right


def test_a_cordoned_node() -> None:
    assert "unschedulable" in one_violation([node(unschedulable=True)], [pod()])


def test_node_affinity_and_selector() -> None:
    assert check([node(zone="zone1")], [pod(affinity=t.node_affinity("zone1"))], []) == []
    assert "affinity does not allow" in one_violation([node(zone="zone2")], [pod(affinity=t.node_affinity("zone1"))])
    assert "affinity does not allow" in one_violation([node()], [pod(affinity=t.on_node("b"))])
    assert "selector" in one_violation([node()], [pod(nodeSelector={"disk": "fast"})])


@pytest.mark.parametrize(
    ("operator", "values", "right"),
    [("Gt", ["3"], True), ("Gt", ["4"], False), ("Lt", ["5"], True), ("Exists", None, True), ("NotIn", ["4"], False)],
)
def test_operators(operator: str, values: list[str] | None, right: bool) -> None:
    labelled = msgspec.convert({**t.node("a"), "metadata": {"name": "a", "labels": {"size": "4"}}}, Node)
    line = {"key": "size", "operator": operator} | ({"values": values} if values else {})
    terms = {"nodeSelectorTerms": [{"matchExpressions": [line]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    assert (check([labelled], [pod(affinity=affinity)], []) == []) is right


def holding(name: str, port: int, *, address: str = "", protocol: str = "TCP") -> Pod:
    one = t.pod(name)
    one["spec"]["containers"][0]["ports"] = [
        {"containerPort": 80, "hostPort": port, "hostIP": address, "protocol": protocol}
    ]
    return msgspec.convert(t.placed(one, "a"), Pod)


@pytest.mark.parametrize(
    ("first", "second", "right"),
    [
        (holding("p", 80), holding("q", 80), False),
        (holding("p", 80), holding("q", 81), True),
        (holding("p", 80), holding("q", 80, protocol="UDP"), True),
        (holding("p", 80, address="10.0.0.1"), holding("q", 80, address="10.0.0.2"), True),
        (holding("p", 80, address="10.0.0.1"), holding("q", 80), False),
    ],
)
def test_host_ports(first: Pod, second: Pod, right: bool) -> None:
    assert (check([node()], [first, second], []) == []) is right


GREEN = {"labels": {"color": "green"}, "namespace": "sched-0"}


def test_anti_affinity() -> None:
    anti = t.pod_affinity("green", key=t.HOSTNAME, anti=True)
    one, other = pod("p", affinity=anti, **GREEN), pod("q", "b", affinity=anti, **GREEN)
    assert check([node("a"), node("b")], [one, other], []) == []
    crowded = check([node("a")], [one, pod("q", **GREEN)], [])
    assert crowded == ["sched-0/p on node a: 1 pods in kubernetes.io/hostname=a that its anti-affinity forbids"]


def test_anti_affinity_minds_namespaces() -> None:
    anti = t.pod_affinity("green", key=t.HOSTNAME, anti=True)
    elsewhere = pod("q", labels={"color": "green"}, namespace="other")
    assert check([node("a")], [pod("p", affinity=anti, **GREEN), elsewhere], []) == []


def test_affinity() -> None:
    wants = {"affinity": t.pod_affinity("green", key=t.ZONE)}
    nodes = [node("a", zone="zone1"), node("b", zone="zone2")]
    assert check(nodes, [pod("p", **wants, **GREEN)], []) == []  # the first of its kind
    assert check(nodes, [pod("p", **wants, **GREEN), pod("q", **wants, **GREEN)], []) == []
    assert len(check(nodes, [pod("p", **wants, **GREEN), pod("q", "b", **wants, **GREEN)], [])) == 2
    assert "nothing that its affinity asks for" in one_violation(nodes, [pod("p", namespace="sched-0", **wants)])


@pytest.mark.parametrize(("in_first_zone", "right"), [(7, True), (8, False)])
def test_spreading(in_first_zone: int, right: bool) -> None:
    nodes = [node("a", zone="moon-1"), node("b", zone="moon-2")]
    spread = {"labels": {"color": "blue"}, "topologySpreadConstraints": t.spreading("blue", hard=True)}
    pods = [pod(f"p{i}", **spread) for i in range(in_first_zone)] + [pod(f"q{i}", "b", **spread) for i in range(2)]
    assert (check(nodes, pods, []) == []) is right


def test_spreading_counts_only_domains_that_the_pod_may_use() -> None:
    nodes = [node("a", zone="moon-1"), node("b", zone="moon-2")]
    spread = {"labels": {"color": "blue"}, "topologySpreadConstraints": t.spreading("blue", hard=True)}
    pods = [pod(f"p{i}", **spread, affinity=t.node_affinity("moon-1")) for i in range(8)]
    assert check(nodes, pods, []) == []


def member(name: str, *, bound: bool) -> Pod:
    one = t.pod(name, schedulingGroup={"podGroupName": "g"})
    return msgspec.convert(t.placed(one, "a") if bound else one, Pod)


@pytest.mark.parametrize(("bound", "right"), [(0, True), (2, False), (3, True)])
def test_gangs(bound: int, right: bool) -> None:
    pods = [member(f"p{i}", bound=i < bound) for i in range(3)]
    assert (check([node()], pods, [group(3)]) == []) is right


def test_gated() -> None:
    assert "gated by wait" in one_violation([node()], [pod(schedulingGates=[{"name": "wait"}])])


@pytest.mark.parametrize("name", ROWS)
def test_the_init_pods_of_every_row_are_placed_right(name: str) -> None:
    layers = {layer: list(objects) for layer, objects in ROWS[name].scaled(0.02).workload().layers()}
    assert (
        check(msgspec.convert(layers["nodes"], list[Node]), msgspec.convert(layers["init pods"], list[Pod]), []) == []
    )
