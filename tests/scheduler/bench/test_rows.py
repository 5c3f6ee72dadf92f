"""The rows have the sizes and the templates of scheduler_perf."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from idcbench.scheduler.bench.rows import BASIC_ROUNDS, OTHER_ROUNDS, ROWS
from idcbench.scheduler.bench.workload import CHURN_NAMESPACE, MEASURED, Workload

SIZES = {
    "basic-500": (500, 1000, 10_000),
    "basic-1000": (1000, 1000, 10_000),
    "basic-5000": (5000, 1000, 10_000),
    "node-affinity": (5000, 5000, 10_000),
    "spreading": (5000, 5000, 5000),
    "preferred-spreading": (5000, 5000, 5000),
    "pod-affinity": (5000, 5000, 5000),
    "pod-anti-affinity": (5000, 1000, 2000),
    "preferred-pod-affinity": (5000, 5000, 5000),
    "preferred-pod-anti-affinity": (5000, 5000, 5000),
    "mixed": (5000, 10_000, 5000),
    "unschedulable": (5000, 100, 10_000),
    "preemption": (5000, 20_000, 5000),
    "churn": (5000, 0, 10_000),
    "daemonset": (15_001, 0, 30_000),
    "gangs-of-3": (5000, 0, 3000),
    "gangs-of-1000": (5000, 0, 3000),
}


def workload(name: str) -> Workload:
    return ROWS[name].scaled(0.01).workload()


def first_pod(name: str) -> Any:
    return next(workload(name).measured.objects())


@pytest.mark.parametrize(("name", "sizes"), SIZES.items())
def test_sizes_at_scale_1(name: str, sizes: tuple[int, int, int]) -> None:
    full = ROWS[name].workload()
    assert (full.node_count, full.init_count, full.pods) == sizes


def test_every_row_is_in_the_table() -> None:
    assert set(SIZES) == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_names_differ_and_init_pods_are_on_nodes_that_are_there(name: str) -> None:
    layers = {layer: list(objects) for layer, objects in workload(name).layers()}
    for objects in layers.values():
        keys = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in objects]
        assert len(set(keys)) == len(keys)
    nodes = {one["metadata"]["name"] for one in layers["nodes"]}
    namespaces = {"default", *(one["metadata"]["name"] for one in layers["namespaces"])}
    assert all(one["spec"]["nodeName"] in nodes for one in layers["init pods"])
    assert all("nodeName" not in one["spec"] for one in layers["measured pods"])
    assert all(one["metadata"]["name"].startswith(MEASURED) for one in layers["measured pods"])
    assert not any(one["metadata"]["name"].startswith(MEASURED) for one in layers["init pods"])
    assert {one["metadata"]["namespace"] for one in layers["measured pods"]} <= namespaces


def test_the_default_templates() -> None:
    node = next(workload("basic-500").nodes[0].objects())
    assert node["status"]["allocatable"] == {"cpu": "4", "memory": "32Gi", "pods": "110"}
    (container,) = first_pod("basic-500")["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "100m", "memory": "500Mi"},
        "limits": {"cpu": "100m", "memory": "500Mi"},
    }
    assert container["ports"] == [{"containerPort": 80}]


@pytest.mark.parametrize(
    ("name", "field", "zones"),
    [
        ("pod-affinity", "podAffinity", ["zone1"]),
        ("preferred-pod-affinity", "podAffinity", [None]),
        ("pod-anti-affinity", "podAntiAffinity", [None]),
        ("preferred-pod-anti-affinity", "podAntiAffinity", [None]),
        ("node-affinity", "nodeAffinity", ["zone1"]),
        ("spreading", None, ["moon-1", "moon-2", "moon-3"]),
    ],
)
def test_what_sets_a_row_apart(name: str, field: str | None, zones: list[str | None]) -> None:
    nodes = workload(name).nodes[0].objects()
    found = [
        one["metadata"]["labels"].get("topology.kubernetes.io/zone") for one in itertools.islice(nodes, len(zones))
    ]
    assert found == zones
    spec = first_pod(name)["spec"]
    if field is None:
        (constraint,) = spec["topologySpreadConstraints"]
        assert (constraint["maxSkew"], constraint["whenUnsatisfiable"]) == (5, "DoNotSchedule")
        return
    (how,) = spec["affinity"][field]
    assert how.startswith("preferred" if name.startswith("preferred") else "required")


def test_gangs_are_whole_at_any_scale() -> None:
    gangs = ROWS["gangs-of-3"].scaled(0.0123).workload()
    members = [one["spec"]["schedulingGroup"]["podGroupName"] for one in gangs.measured.objects()]
    groups = [one["metadata"]["name"] for one in gangs.gangs.objects()]
    assert {members.count(name) for name in groups} == {3}
    assert set(members) == set(groups)


def test_what_goes_on_meanwhile() -> None:
    churn = workload("churn").churn
    assert churn is not None
    assert (churn.mode, churn.interval_s) == ("recreate", 1.0)
    assert [one["kind"] for one in churn.make(0)] == ["Node", "Pod", "Service"]
    preemption = workload("preemption").churn
    assert preemption is not None
    (pod,) = preemption.make(7)
    assert pod["metadata"] == {"name": "high-00007", "namespace": CHURN_NAMESPACE}
    assert pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "3"


@pytest.mark.parametrize("scale", [0, -1, 11])
def test_a_scale_that_cannot_be_meant(scale: float) -> None:
    with pytest.raises(ValueError, match="is not in 0 to 10"):
        ROWS["basic-500"].scaled(scale)


def test_rounds() -> None:
    assert {row.rounds for name, row in ROWS.items() if name.startswith("basic")} == {BASIC_ROUNDS}
    assert {row.rounds for name, row in ROWS.items() if not name.startswith("basic")} == {OTHER_ROUNDS}
