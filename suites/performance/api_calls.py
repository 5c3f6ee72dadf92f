"""Calls of every verb, resource and scope, each sort as often as any other, and the objects that they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

import msgspec
import numpy as np

from idcbench.kube.access import Access
from idcbench.measure.calls import NUMBER, Call, Composer
from idcbench.measure.load import pool
from idcbench.measure.loader import LoadPlan
from idcbench.measure.real_calls import create_config_map, create_pod

from .startup import exactly

NOBODY = "idcbench-nobody"
"""A scheduler that there is not: its pods stay as they are, and only the API is measured."""
AT_ONCE = 16
CONNECTIONS = 64
TOUCHED = "example.com/touched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """A call, and what its figures are filed under; ``block`` says on which objects it acts (:func:`even_plan`)."""

    verb: str
    resource: str
    scope: str
    call: Call
    block: int = 0

    @property
    def labels(self) -> dict[str, str]:
        return {"verb": self.verb, "resource": self.resource, "scope": self.scope}


def pods_call(namespace: str) -> Call:
    """POST of a pod of usual size that nobody schedules."""
    return create_pod(namespace, scheduler=NOBODY)


MAKERS: tuple[Callable[[str], Call], ...] = (pods_call, create_config_map)


def sorts_of(create: Call, *, churned: str, listed: str) -> list[Sort]:
    """Every verb and scope of one resource. ``create`` makes an object of ``churned``, where all but the lists act.

    Each write changes something: PUT and PATCH leave marks of their own, so none is the no-operation that the server
    does not store. The list of the cluster is narrowed to the objects of ``listed`` too, so it is as long as the other.
    """
    resource = create.path.rpartition("/")[2]
    root = create.path.removesuffix(f"/namespaces/{churned}/{resource}")
    delete = deletion(create)
    one = delete.path
    chosen = f"fieldSelector={quote(f'metadata.namespace={listed}')}"
    merged = msgspec.json.encode({"metadata": {"annotations": {TOUCHED: "patched"}}}).decode()
    calls = {
        ("GET", "resource"): Call(name="", path=one),
        ("LIST", "namespace"): Call(name="", path=f"{root}/namespaces/{listed}/{resource}"),
        ("LIST", "cluster"): Call(name="", path=f"{root}/{resource}?{chosen}"),
        ("POST", "resource"): create,
        ("PUT", "resource"): Call(name="", method="PUT", path=one, body=_marked(create.body)),
        ("PATCH", "resource"): Call(
            name="", method="PATCH", path=one, body=merged, content_type="application/merge-patch+json"
        ),
        ("DELETE", "resource"): delete,
    }
    blocks = {"DELETE": 1, "POST": 2}
    return [
        Sort(
            verb=verb,
            resource=resource,
            scope=scope,
            block=blocks.get(verb, 0),
            call=replace(call, name=f"{verb} {resource} {scope}"),
        )
        for (verb, scope), call in calls.items()
    ]


def deletion(create: Call) -> Call:
    """DELETE of what ``create`` makes."""
    name = msgspec.json.decode(create.body)["metadata"]["name"]
    return Call(name="delete", method="DELETE", path=f"{create.path}/{name}")


def even_plan(sorts: Sequence[Sort], *, each: int, rate_per_s: float, seed: int = 1) -> LoadPlan:
    """``each`` calls of every sort, in random order, as a Poisson process of that rate in all.

    The k-th call of a sort is of object k of its block; block 1 begins with object ``each``, and so on.
    """
    count = each * len(sorts)
    order = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sorts), dtype=np.uint8), each))
    numbers = np.empty(count, dtype=np.uint32)
    for place, sort in enumerate(sorts):
        first = sort.block * each
        numbers[order == place] = np.arange(first, first + each)
    return LoadPlan(
        planned_ns=exactly(count, rate_per_s, seed=seed), calls=tuple(sort.call for sort in sorts), sorts=order,
        numbers=numbers, connections=CONNECTIONS,
    )  # fmt: skip


async def make(access: Access, call: Call, numbers: range, *, at_once: int = AT_ONCE) -> float:
    """Send ``call`` with each of the numbers, as fast as the server takes it; how many it took in a second.

    Raises :class:`~idcbench.measure.load.LoadError` for one that is refused.
    """
    async with pool(access, size=at_once) as clients:
        compose = Composer([call], clients.endpoint, clients.headers)
        load = await clients.closed_loop([compose(0, number)] for number in numbers)
    return load.jobs_per_s


def _marked(body: str) -> str:
    """The same object with one annotation more."""
    made = msgspec.json.decode(body)
    made["metadata"].setdefault("annotations", {})[TOUCHED] = f"put-{NUMBER}"
    return msgspec.json.encode(made).decode()
