"""The load named ``standard``: what one API server's clients do all day, as data. What it is measured by is elsewhere.

Pods come and go in a cluster of :data:`NODES` nodes and :data:`MEMBERS` members: every second :data:`CREATES_PER_S`
are created, as many deleted, each :data:`LIFE_S` after its own creation, so that it is always the oldest, and there
are always as many; beside them :data:`READS_PER_S` reads. All on reused connections, at times that were planned.
"""

from __future__ import annotations

import msgspec
import numpy as np

from .arrivals import constant
from .calls import Call
from .loader import LoadPlan

NODES, MEMBERS, DURATION_S = 1000, 3, 300.0
CREATES_PER_S, READS_PER_S = 10, 50
LIFE_S = 10
STOCK = CREATES_PER_S * LIFE_S
"""Pods that are there when the load begins, made beforehand; number 0 is the first to go."""
STOCK_PER_S = 40.0
CONNECTIONS = 64
"""A stall of a second needs no more; those that are idle cost nothing."""
ANCHOR = "anchor"
"""The pod and the ConfigMap that reads ask for; neither is ever deleted."""
PAGE = 10
IMAGE = "registry.k8s.io/pause:3.10"
"""Sleeps; nothing is pulled on simulated nodes."""
CREATE, DELETE, GET_POD, GET_CONFIGMAP, LIST = "create pod", "delete pod", "get pod", "get configmap", "list pods"
READS = (*(GET_POD, GET_CONFIGMAP) * 4, GET_CONFIGMAP, LIST)
"""In turn, without end: of ten reads four are of a pod, five of a ConfigMap, and one is a list of a page."""


def pod(name: str) -> dict[str, object]:
    """A schedulable pod without state, as SIG Scalability's pod startup demands it."""
    requests = {"cpu": "10m", "memory": "16Mi"}
    container = {"name": "main", "image": IMAGE, "resources": {"requests": requests}}
    metadata = {"name": name, "labels": {"app": "standard"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


def calls_in(namespace: str) -> tuple[Call, ...]:
    """The sorts of requests, in a namespace that holds the anchors."""
    base = f"/api/v1/namespaces/{namespace}"
    body = msgspec.json.encode(pod("std-{n}")).decode()
    return (
        Call(name=CREATE, method="POST", path=f"{base}/pods", body=body),
        Call(name=DELETE, method="DELETE", path=f"{base}/pods/std-{{n}}"),
        Call(name=GET_POD, path=f"{base}/pods/{ANCHOR}"),
        Call(name=GET_CONFIGMAP, path=f"{base}/configmaps/{ANCHOR}"),
        Call(name=LIST, path=f"{base}/pods?limit={PAGE}"),
    )


def stock_load(namespace: str) -> LoadPlan:
    """What makes the pods that are there when the load begins."""
    return LoadPlan(
        planned_ns=constant(STOCK_PER_S, STOCK / STOCK_PER_S), calls=calls_in(namespace)[:1], connections=CONNECTIONS
    )


def standard_load(namespace: str, *, duration_s: float = DURATION_S) -> LoadPlan:
    """The load, for so long: the same requests at the same times whenever it is made.

    Creates, deletes and reads are evenly spaced, and never at the same moment: deletes half way between two creates,
    reads a quarter of their own interval after.
    """
    calls = calls_in(namespace)
    order = [call.name for call in calls]
    changes = constant(CREATES_PER_S, duration_s)
    reads = constant(READS_PER_S, duration_s) + int(0.25e9 / READS_PER_S)
    number = np.arange(len(changes), dtype=np.uint32)
    turn = [order.index(READS[at % len(READS)]) for at in range(len(reads))]
    planned = np.concatenate([changes, changes + int(0.5e9 / CREATES_PER_S), reads])
    sorts = np.concatenate(
        [np.full(len(changes), order.index(CREATE)), np.full(len(changes), order.index(DELETE)), turn]
    )
    numbers = np.concatenate([number + STOCK, number, np.zeros(len(reads), np.uint32)])
    at = np.argsort(planned, kind="stable")
    return LoadPlan(
        planned_ns=planned[at], calls=calls, connections=CONNECTIONS, sorts=sorts[at].astype(np.uint8),
        numbers=numbers[at].astype(np.uint32),
    )  # fmt: skip
