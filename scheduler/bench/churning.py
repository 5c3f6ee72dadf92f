"""What goes on beside a drain: objects that come, or come and go, at fixed times."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from idcbench.kube.access import Access
from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession

from .paths import collection, path
from .templates import Object
from .workload import Churn


@contextlib.asynccontextmanager
async def churning(access: Access, churn: Churn | None) -> AsyncIterator[None]:
    """Have the churn go on while the context lasts; nothing for ``None``. What it cannot create raises on leaving."""
    if churn is None:
        yield
        return
    async with ApiSession(access) as api:
        task = asyncio.create_task(_turns(api, churn))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _turns(api: ApiSession, churn: Churn) -> None:
    """The turns at their times, the first at once; one that is late does not move the others."""
    began_s = time.monotonic()
    before: tuple[Object, ...] = ()
    turn = 0
    while True:
        if churn.mode == "recreate":
            await asyncio.gather(*(_delete(api, one) for one in before))
        before = churn.make(turn)
        await asyncio.gather(*(api.post(collection(one), one) for one in before))
        turn += 1
        await asyncio.sleep(max(0.0, began_s + turn * churn.interval_s - time.monotonic()))


async def _delete(api: ApiSession, one: Object) -> None:
    """At once, without grace; that it is gone already is no error."""
    try:
        await api.delete(path(one), {"gracePeriodSeconds": 0, "kind": "DeleteOptions", "apiVersion": "v1"})
    except ApiError as error:
        if error.status != 404:
            raise
