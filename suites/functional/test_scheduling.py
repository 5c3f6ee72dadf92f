"""Scheduling: pods go where they may, and nowhere else."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client, Manifest

from .manifests import deployment, on_node, pod, requests
from .refusal import refused
from .states import all_ready, has_condition, is_ready

pytestmark = pytest.mark.idc(proves="controller")
HOSTNAME = "kubernetes.io/hostname"
UNSCHEDULABLE = has_condition("PodScheduled", "False", reason="Unschedulable")


def why_unschedulable(client: Client, namespace: str, name: str) -> str:
    """Wait until the scheduler has found no place for a pod; what it says."""
    found = client.wait_for("Pod", name, UNSCHEDULABLE, namespace, what="found unschedulable")
    assert "nodeName" not in found["spec"]
    return str(next(one["message"] for one in found["status"]["conditions"] if one["type"] == "PodScheduled"))


def test_node_selector_leads_to_the_node(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """A pod that selects a node by its label runs there."""
    idc_client.create(pod("picky", **on_node(nodes[-1])), namespace)
    found = idc_client.wait_for("Pod", "picky", is_ready, namespace, what="ready")
    assert found["spec"]["nodeName"] == nodes[-1]


@pytest.mark.idc(negative=True)
def test_pod_that_no_node_fits_stays_pending(idc_client: Client, namespace: str) -> None:
    """A pod with a selector that no node fits is not run anywhere, and the reason is said."""
    idc_client.create(pod("lost", **on_node(f"{namespace}-nowhere")), namespace)
    assert "didn't match Pod's node affinity/selector" in why_unschedulable(idc_client, namespace, "lost")


@pytest.mark.idc(negative=True)
def test_pod_larger_than_every_node_stays_pending(idc_client: Client, namespace: str) -> None:
    """A pod that asks for more CPU than any node has is not run anywhere, and the reason is said."""
    idc_client.create(pod("huge", resources=requests(cpu="100k")), namespace)
    assert "Insufficient cpu" in why_unschedulable(idc_client, namespace, "huge")


@pytest.mark.idc(negative=True)
def test_node_is_never_overcommitted(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """Of three pods that ask for 40 % of a node's memory each, no third gets onto that node."""
    memory = idc_client.get("Node", nodes[-1])["status"]["allocatable"]["memory"]
    share = requests(memory=f"{int(kibibytes(memory) * 0.4)}Ki")
    for number in range(3):
        idc_client.create(pod(f"share-{number}", resources=share, **on_node(nodes[-1])), namespace)
    settled = idc_client.wait_for_list(
        "Pod", lambda pods: sum(map(is_ready, pods)) + sum(map(UNSCHEDULABLE, pods)) == 3, namespace, what="settled"
    )
    assert sum(map(is_ready, settled)) == 2


def kibibytes(quantity: str) -> float:
    """A node's memory in KiB, as kubelets and simulated nodes write it."""
    units = {"Ki": 1.0, "Mi": 1024.0, "Gi": 1024.0**2, "Ti": 1024.0**3}
    return float(quantity[:-2]) * units[quantity[-2:]] if quantity[-2:] in units else float(quantity) / 1024


def test_anti_affinity_keeps_replicas_apart(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """Replicas that must not share a node run on different nodes."""
    count = min(3, len(nodes))
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": HOSTNAME}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    idc_client.create(deployment("web", replicas=count, pods={"affinity": apart}), namespace)
    pods = idc_client.wait_for_list("Pod", all_ready(count), namespace)
    assert len({each["spec"]["nodeName"] for each in pods}) == count


def test_topology_spread_is_even(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """Replicas that are to be spread evenly over nodes differ by at most one between any two."""
    some = nodes[:3]
    terms = [{"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": some}]}]
    there = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    spread: Manifest = {
        "maxSkew": 1, "topologyKey": HOSTNAME, "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }  # fmt: skip
    placing = {"affinity": there, "topologySpreadConstraints": [spread]}
    idc_client.create(deployment("web", replicas=2 * len(some), pods=placing), namespace)
    pods = idc_client.wait_for_list("Pod", all_ready(2 * len(some)), namespace)
    on = [each["spec"]["nodeName"] for each in pods]
    assert {on.count(node) for node in some} == {2}


@pytest.mark.idc(negative=True)
def test_gated_pod_is_not_scheduled(idc_client: Client, namespace: str) -> None:
    """A pod with a scheduling gate gets no node until the gate is taken away."""
    idc_client.create(pod("gated", schedulingGates=[{"name": "idcbench.io/wait"}]), namespace)
    idc_client.create(pod("free"), namespace)
    idc_client.wait_for("Pod", "free", is_ready, namespace, what="ready")
    held = idc_client.get("Pod", "gated", namespace)
    assert has_condition("PodScheduled", "False", reason="SchedulingGated")(held)
    assert "nodeName" not in held["spec"]
    idc_client.patch("Pod", "gated", {"spec": {"schedulingGates": None}}, namespace)
    idc_client.wait_for("Pod", "gated", is_ready, namespace, what="ready")


@pytest.mark.idc(negative=True)
def test_pod_of_another_scheduler_is_left_alone(idc_client: Client, namespace: str) -> None:
    """A pod that names another scheduler is not touched by the default one, while a later pod is placed."""
    idc_client.create(pod("theirs", schedulerName=f"{namespace}-none"), namespace)
    idc_client.create(pod("ours"), namespace)
    idc_client.wait_for("Pod", "ours", is_ready, namespace, what="ready")
    left = idc_client.get("Pod", "theirs", namespace)
    assert "nodeName" not in left["spec"]
    assert "conditions" not in left["status"]


@pytest.mark.idc(proves="api", negative=True)
def test_pod_is_bound_once(idc_client: Client, namespace: str) -> None:
    """A pod that has a node cannot be bound to another."""
    idc_client.create(pod("one", schedulerName=f"{namespace}-none"), namespace)
    idc_client.bind("one", namespace, f"{namespace}-a")
    with refused("Conflict", saying="already assigned to node"):
        idc_client.bind("one", namespace, f"{namespace}-b")
    assert idc_client.get("Pod", "one", namespace)["spec"]["nodeName"] == f"{namespace}-a"
    idc_client.delete("Pod", "one", namespace, grace_s=0)
