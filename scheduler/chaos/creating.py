"""Creates objects through API servers that may die meanwhile: each exists once at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from idcbench.kube.apierror import ApiError, is_transient
from idcbench.kube.session import ApiSession

from ..bench.paths import collection, path
from ..bench.templates import Object

AT_ONCE = 48
"""So many that the schedulers have a backlog, and much on its way when something dies."""
LIMIT_S = 90.0
"""For one object: longer than any fault lasts."""
PAUSE_S = 0.2


async def create(api: ApiSession, objects: Iterable[Object]) -> None:
    """Create all. Raises :class:`ApiError` for what is refused, and what could not be done for ``LIMIT_S``."""
    waiting = iter(objects)

    async def work() -> None:
        for one in waiting:
            await _create_one(api, one)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(work())
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def create_nodes(api: ApiSession, nodes: Iterable[Object]) -> None:
    """Create nodes, and take away the taint that admission gives to new ones: nobody else here would."""
    nodes = list(nodes)
    await create(api, nodes)
    for node in nodes:
        await api.patch(path(node), {"spec": {"taints": None}})


async def _create_one(api: ApiSession, one: Object) -> None:
    """A name that is taken was taken by us: the reply was lost."""
    body = msgspec.json.encode(one)
    ends_s = asyncio.get_running_loop().time() + LIMIT_S
    while True:
        server = api.server
        try:
            await api.post(collection(one), body)
        except ApiError as error:
            if error.status == 409 and error.reason == "AlreadyExists":
                return
            if not (is_transient(error) or error.status in (401, 403)):  # a server that starts knows no roles yet
                raise
            if asyncio.get_running_loop().time() > ends_s:
                raise
            api.move_on(server)
            await asyncio.sleep(PAUSE_S)
        else:
            return
