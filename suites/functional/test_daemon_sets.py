"""DaemonSets: a pod on every node that takes it, and on no other."""

from __future__ import annotations

from collections import Counter

import pytest

from idcbench.kube.crud import Client, Manifests

from .manifests import daemon_set, pod_template
from .states import all_ready, wait_until_seen

pytestmark = pytest.mark.idc(proves="controller")


def placed(pods: Manifests) -> Counter[str]:
    """How many pods each node has."""
    return Counter(pod["spec"]["nodeName"] for pod in pods)


def test_daemon_set_runs_on_every_node(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """A DaemonSet has exactly one ready pod on each node that takes pods."""
    idc_client.create(daemon_set("agent"), namespace)
    pods = idc_client.wait_for_list("Pod", all_ready(len(nodes)), namespace, what=f"{len(nodes)} ready pods")
    assert placed(pods) == Counter(nodes)


@pytest.mark.idc(negative=True)
def test_daemon_set_leaves_out_nodes_that_do_not_fit(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """A DaemonSet with a node selector runs nowhere but on the nodes that it selects."""
    idc_client.create(daemon_set("agent", pods={"nodeSelector": {"kubernetes.io/hostname": nodes[0]}}), namespace)
    idc_client.wait_for_list("Pod", all_ready(1), namespace, what="one ready pod")
    found = wait_until_seen(idc_client, "DaemonSet", "agent", namespace)
    assert placed(idc_client.list("Pod", namespace)) == Counter([nodes[0]])
    assert found["status"]["desiredNumberScheduled"] == 1


def test_daemon_set_rolls_out_node_by_node(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """A new template replaces the pod of each node."""
    few = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": nodes[:3]}]}
        ]}}
    }  # fmt: skip
    idc_client.create(daemon_set("agent", pods={"affinity": few}), namespace)
    idc_client.wait_for_list("Pod", all_ready(len(nodes[:3])), namespace)
    template = pod_template("agent", affinity=few)
    template["metadata"]["labels"]["release"] = "new"
    idc_client.patch("DaemonSet", "agent", {"spec": {"template": template}}, namespace)
    pods = idc_client.wait_for_list(
        "Pod", all_ready(len(nodes[:3])), namespace, label_selector="release=new", what="the new pods"
    )
    assert placed(pods) == Counter(nodes[:3])
