"""Amounts near the end of 64 bits: a node that is full beyond measure takes nothing more."""

from __future__ import annotations

import msgspec
import pytest

from idcbench.scheduler.decisions import Placed
from idcbench.scheduler.engine.engine import ClusterEngine
from idcbench.scheduler.objects import Node, Pod

from .bad_objects import HUGE, BadNode, BadPod, Manifest, container, node_status


def engine(**room: str) -> ClusterEngine:
    made = ClusterEngine()
    made.set("nodes", msgspec.convert(BadNode("node", node_status(**room)).manifest(), Node))
    return made


def pod(name: str, spec: Manifest) -> Pod:
    whole = BadPod(name, spec | {"schedulerName": "default-scheduler"}).manifest()
    return msgspec.convert(whole | {"metadata": {"name": name, "uid": name, "namespace": "default"}}, Pod)


def placed(made: ClusterEngine, name: str, **asked: str) -> bool:
    (decision,) = made.decide([pod(name, {"containers": [container(**asked)]})])
    return isinstance(decision, Placed)


def test_pods_put_there_by_others_never_make_room() -> None:
    made = engine()
    for number in range(40):
        asked = {"containers": [container(cpu="9E", memory=str(HUGE))]}
        made.set("pods", pod(f"forced-{number}", asked | {"nodeName": "node"}))
        assert not placed(made, "one")


@pytest.mark.parametrize(("room", "asked", "fit"), [("9E", "4P", 2), ("4P", "2P", 2), ("1P", "2P", 0), ("9E", "9E", 0)])
def test_no_more_fit_than_there_is_room(room: str, asked: str, fit: int) -> None:
    """Beyond 8 PiB less is placed than there would be room for, never more."""
    made = engine(memory=room)
    assert [placed(made, f"p{number}", memory=asked) for number in range(4)] == [True] * fit + [False] * (4 - fit)
