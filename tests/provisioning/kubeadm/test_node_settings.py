"""Labels and taints: what the inventory says, less what nodes have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from idcbench.hosts.inventory_file import parse_inventory
from idcbench.provisioning.kubeadm.configuration import join_configuration
from idcbench.provisioning.kubeadm.node_settings import CONTROL_PLANE, joined_works, node_works
from idcbench.provisioning.kubeadm.traits import Traits

ROOM = """\
cluster: {name: room, endpoint: {address: 10.9.0.100}}
hosts:
  cp1: {address: 10.9.0.11, groups: [control-plane]}
  both: {address: 10.9.0.12, groups: [control-plane, worker]}
  cp3: {address: 10.9.0.13, groups: [control-plane]}
  w1: {address: 10.9.0.21, groups: [worker], labels: {disk: ssd}, taints: ["gpu=yes:NoSchedule"]}
"""
OWN = {"key": CONTROL_PLANE, "effect": "NoSchedule"}


def works(**nodes: tuple[dict[str, str], list[dict[str, str]]]) -> dict[str, list[str]]:
    there: dict[str, Any] = {
        name: {"metadata": {"labels": labels}, "spec": {"taints": taints}} for name, (labels, taints) in nodes.items()
    }
    found = node_works(parse_inventory(ROOM, path=Path("room.yaml")).hosts, there)
    return {work.host: work.words for work in found}


def test_what_is_as_it_should_be_needs_nothing_and_what_others_set_stays() -> None:
    others = {"key": "maintenance", "effect": "NoExecute"}
    taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    assert works(cp1=({"x": "y"}, [OWN, others]), w1=({"disk": "ssd", "x": "y"}, [taint, others])) == {}


def test_what_is_missing_or_has_another_value_is_set() -> None:
    assert works(w1=({"disk": "hdd"}, [])) == {"w1": ["label disk=ssd", "taint gpu=yes:NoSchedule"]}


def test_a_control_plane_takes_no_pods_unless_it_is_a_worker_too() -> None:
    found = works(cp1=({}, []), both=({}, [OWN]))
    assert found == {"cp1": [f"taint {CONTROL_PLANE}:NoSchedule"], "both": [f"taint {CONTROL_PLANE}:NoSchedule-"]}


def test_hosts_that_are_no_nodes_yet_get_theirs_when_they_join() -> None:
    assert works() == {}


@pytest.mark.parametrize(
    ("label", "allowed"),
    [
        ("disk", True),
        ("example.com/disk", True),
        ("notkubernetes.io/disk", True),
        ("topology.kubernetes.io/zone", True),
        ("node.kubernetes.io/instance-type", True),
        ("of.kubelet.kubernetes.io/any", True),
        ("kubernetes.io/hostname", True),
        ("kubernetes.io/role", False),
        ("node-role.kubernetes.io/worker", False),
        ("node-restriction.kubernetes.io/team", False),
        ("topology.kubernetes.io/rack", False),
        ("x.k8s.io/y", False),
        ("k8s.io/y", False),
    ],
)
def test_a_kubelet_gets_only_labels_that_it_may_set_and_others_are_set_once_it_has_joined(
    label: str, allowed: bool
) -> None:
    [host] = parse_inventory(
        "cluster: {name: room, endpoint: {address: 10.9.0.100}}\n"
        f"hosts:\n  cp1: {{address: 10.9.0.11, groups: [control-plane], labels: {{{label}: x}}}}\n",
        path=Path("room.yaml"),
    ).hosts
    text = join_configuration(host, Traits(), token="a.b")
    assert (f"{label}=x" in text) == allowed
    assert [work.words for work in joined_works([host])] == ([] if allowed else [[f"label {label}=x"]])
