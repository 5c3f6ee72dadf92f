"""Taints, cordons, evictions: how nodes are emptied without hurting what runs on them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idcbench.kube.apierror import ApiError
from idcbench.kube.crud import Client, Manifest
from idcbench.kube.waiting import wait_until

from .manifests import deployment, disruption_budget, on_node, pod
from .refusal import refused
from .states import all_ready, has_condition, is_going, is_ready, name_of, names

pytestmark = pytest.mark.idc(proves="controller")
UNSCHEDULABLE = has_condition("PodScheduled", "False", reason="Unschedulable")
KEY = "idcbench.io/functional"


@pytest.fixture
def node(idc_client: Client, nodes: list[str]) -> Iterator[str]:
    """A node that the check may cordon and taint; afterwards it is as it was."""
    name = nodes[0]
    yield name
    idc_client.patch("Node", name, {"spec": {"unschedulable": None}})
    set_taint(idc_client, name, None)


def set_taint(client: Client, node: str, effect: str | None) -> None:
    """Give the node the suite's taint, or take it away; other taints stay."""
    others = [taint for taint in client.get("Node", node)["spec"].get("taints", ()) if taint["key"] != KEY]
    own = [{"key": KEY, "value": "yes", "effect": effect}] if effect else []
    client.patch("Node", node, {"spec": {"taints": others + own}})


def tolerating(effect: str) -> Manifest:
    return {"tolerations": [{"key": KEY, "operator": "Exists", "effect": effect}]}


@pytest.mark.idc_disruptive
@pytest.mark.idc(negative=True)
def test_taint_keeps_pods_away_that_do_not_tolerate_it(idc_client: Client, namespace: str, node: str) -> None:
    """A tainted node takes a pod that tolerates the taint and none that does not."""
    set_taint(idc_client, node, "NoSchedule")
    idc_client.create(pod("shy", **on_node(node)), namespace)
    idc_client.create(pod("bold", **on_node(node), **tolerating("NoSchedule")), namespace)
    idc_client.wait_for("Pod", "bold", is_ready, namespace, what="ready")
    idc_client.wait_for("Pod", "shy", UNSCHEDULABLE, namespace, what="found unschedulable")


@pytest.mark.idc_disruptive
@pytest.mark.idc(negative=True)
def test_taint_evicts_who_does_not_tolerate_it(idc_client: Client, namespace: str, node: str) -> None:
    """A taint that forbids to stay removes the pods that do not tolerate it, and leaves those that do."""
    idc_client.create(pod("shy", **on_node(node)), namespace)
    idc_client.create(pod("bold", **on_node(node), **tolerating("NoExecute")), namespace)
    idc_client.wait_for_list("Pod", all_ready(2), namespace)
    set_taint(idc_client, node, "NoExecute")
    idc_client.wait_gone("Pod", "shy", namespace)
    assert is_ready(idc_client.get("Pod", "bold", namespace))


@pytest.mark.idc_disruptive
@pytest.mark.idc(negative=True)
def test_cordoned_node_gets_no_new_pods(idc_client: Client, namespace: str, node: str) -> None:
    """A cordoned node keeps what runs on it and gets nothing new."""
    idc_client.create(pod("before", **on_node(node)), namespace)
    idc_client.wait_for("Pod", "before", is_ready, namespace, what="ready")
    idc_client.patch("Node", node, {"spec": {"unschedulable": True}})
    idc_client.wait_for("Node", node, has_taint, what="tainted as unschedulable")
    idc_client.create(pod("after", **on_node(node)), namespace)
    idc_client.wait_for("Pod", "after", UNSCHEDULABLE, namespace, what="found unschedulable")
    assert is_ready(idc_client.get("Pod", "before", namespace))


@pytest.mark.idc_disruptive
@pytest.mark.idc(negative=True)
def test_drain_never_goes_below_the_disruption_budget(
    idc_client: Client, namespace: str, node: str, nodes: list[str]
) -> None:
    """A node is drained pod by pod, with never fewer ready replicas than the disruption budget promises."""
    if len(nodes) < 2:
        pytest.skip("needs a second node for the pods to go to")
    idc_client.create(disruption_budget("web", app="web", min_available=2), namespace)
    idc_client.create(deployment("web", replicas=3, pods={"affinity": preferring(node)}), namespace)
    idc_client.wait_for_list("Pod", all_ready(3), namespace)
    idc_client.patch("Node", node, {"spec": {"unschedulable": True}})
    fewest = 3

    def emptied() -> tuple[bool | None, str]:
        nonlocal fewest
        pods = idc_client.list("Pod", namespace)
        fewest = min(fewest, sum(map(is_ready, pods)))
        here = [name_of(pod) for pod in pods if pod["spec"].get("nodeName") == node and not is_going(pod)]
        for name in here:
            try:
                idc_client.evict(name, namespace)
            except ApiError as error:
                if error.status not in (404, 429):
                    raise
        return (True if not here else None), f"{here} still there"

    wait_until(f"node {node} to be drained", emptied, timeout_s=30)
    pods = idc_client.wait_for_list("Pod", all_ready(3), namespace)
    assert node not in {each["spec"]["nodeName"] for each in pods}
    assert fewest >= 2


@pytest.mark.idc(negative=True)
def test_eviction_against_the_budget_is_refused(idc_client: Client, namespace: str) -> None:
    """An eviction that would leave fewer pods than the disruption budget promises is refused, and the pod runs on."""
    idc_client.create(disruption_budget("web", app="web", min_available=2), namespace)
    idc_client.create(deployment("web", replicas=2), namespace)
    pods = idc_client.wait_for_list("Pod", all_ready(2), namespace)
    wait_for_budget(idc_client, namespace, healthy=2, allowed=0)
    with refused("TooManyRequests", saying="disruption budget"):
        idc_client.evict(name_of(pods[0]), namespace)
    assert names(idc_client.list("Pod", namespace)) == names(pods)
    assert not any(map(is_going, idc_client.list("Pod", namespace)))


def test_eviction_within_the_budget_is_done(idc_client: Client, namespace: str) -> None:
    """An eviction that the disruption budget allows removes the pod, and the Deployment makes another."""
    idc_client.create(disruption_budget("web", app="web", min_available=1), namespace)
    idc_client.create(deployment("web", replicas=2), namespace)
    pods = idc_client.wait_for_list("Pod", all_ready(2), namespace)
    wait_for_budget(idc_client, namespace, healthy=2, allowed=1)
    idc_client.evict(name_of(pods[0]), namespace)
    idc_client.wait_gone("Pod", name_of(pods[0]), namespace)
    idc_client.wait_for_list("Pod", all_ready(2), namespace)


def wait_for_budget(client: Client, namespace: str, *, healthy: int, allowed: int) -> None:
    """Wait until the disruption budget has counted its pods."""

    def counted(found: Manifest) -> bool:
        status = found["status"]
        return (status.get("currentHealthy"), status.get("disruptionsAllowed")) == (healthy, allowed)

    client.wait_for("PodDisruptionBudget", "web", counted, namespace, what=f"counting {healthy} healthy pods")


def has_taint(node: Manifest) -> bool:
    return any(taint["key"] == "node.kubernetes.io/unschedulable" for taint in node["spec"].get("taints", ()))


def preferring(node: str) -> Manifest:
    """The affinity of a pod that goes to this node as long as it takes pods."""
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": term}]}}
