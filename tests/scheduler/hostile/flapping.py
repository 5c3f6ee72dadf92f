"""Nodes that come, go and change many times a second, and are all there, as they were at first, in the end."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress

from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession

from .bad_objects import Manifest

NODES = "/api/v1/nodes"
STRATEGIC = "application/strategic-merge-patch+json"
TAINT = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
BARRED = "barred"
"""Nodes whose names begin so are unschedulable whenever they are there."""


def node(name: str, *, cpu: str = "1") -> Manifest:
    """Room for ten pods of 100m."""
    room = {"cpu": cpu, "memory": "32Gi", "pods": "110"}
    spec = {"unschedulable": True} if name.startswith(BARRED) else {}
    status = {"capacity": room, "allocatable": room, "conditions": [{"type": "Ready", "status": "True"}]}
    return {"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}, "spec": spec, "status": status}


async def flap(api: ApiSession, names: list[str], *, for_s: float, each_s: float, seed: int) -> int:
    """Do something to a node every ``each_s`` seconds for so long; how many changes the API server took."""
    chance, done = random.Random(seed), 0
    ends_s = next_s = time.monotonic()
    ends_s += for_s
    while next_s < ends_s:
        name, what = chance.choice(names), chance.choice(("delete", "create", "taint", "shrink", "cordon", "label"))
        with suppress(ApiError):  # gone, or there already
            await _change(api, name, what, chance)
            done += 1
        next_s += each_s
        await asyncio.sleep(max(0.0, next_s - time.monotonic()))
    return done


async def settle(api: ApiSession, names: list[str]) -> None:
    """Every node is there, as at first."""
    for name in names:
        with suppress(ApiError):
            await api.post(NODES, node(name))
        spec = {"unschedulable": name.startswith(BARRED), "taints": None}
        await api.patch(f"{NODES}/{name}", {"spec": spec}, content_type=STRATEGIC)
        await api.patch(f"{NODES}/{name}/status", {"status": node(name)["status"]}, content_type=STRATEGIC)


async def _change(api: ApiSession, name: str, what: str, chance: random.Random) -> None:
    path = f"{NODES}/{name}"
    match what:
        case "delete":
            await api.delete(path)
        case "create":
            await api.post(NODES, node(name))
        case "taint":
            taints = [TAINT] if chance.random() < 0.5 else None
            await api.patch(path, {"spec": {"taints": taints}}, content_type=STRATEGIC)
        case "shrink":
            room = node(name, cpu=chance.choice(("0", "500m", "1")))["status"]["allocatable"]
            await api.patch(f"{path}/status", {"status": {"allocatable": room}}, content_type=STRATEGIC)
        case "cordon":
            barred = name.startswith(BARRED) or chance.random() < 0.5
            await api.patch(path, {"spec": {"unschedulable": barred}}, content_type=STRATEGIC)
        case _:
            labels = {"zone": chance.choice("abc")}
            await api.patch(path, {"metadata": {"labels": labels}}, content_type=STRATEGIC)
