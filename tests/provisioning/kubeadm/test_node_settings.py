"""Labels and taints: what the inventory says, less what nodes have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from idcbench.hosts.inventory_file import parse_inventory
from idcbench.provisioning.kubeadm.node_settings import CONTROL_PLANE, node_works

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
