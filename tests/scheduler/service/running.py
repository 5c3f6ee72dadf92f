"""Runs a service against the fake API server for the length of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from little_engine import LittleEngine
from scheduler_api import SchedulerApi

from idcbench.scheduler.service.measures import Tally
from idcbench.scheduler.service.service import SchedulerService
from idcbench.scheduler.service.settings import (
    LeaseSettings,
    QueueSettings,
    ServiceSettings,
    WriteSettings,
)

QUICK = QueueSettings(backoff_first_s=0.05, backoff_most_s=0.2, gang_patience_s=0.5)


def settings(**changes: object) -> ServiceSettings:
    return ServiceSettings(**({"queue": QUICK, "write": WriteSettings(connections=8, request_limit_s=1.0)} | changes))  # type: ignore[arg-type]


def lease(identity: str) -> LeaseSettings:
    return LeaseSettings(identity=identity, duration_s=3.0, renew_deadline_s=2.0, retry_s=0.3)


@asynccontextmanager
async def running(
    api: SchedulerApi,
    *,
    engine: LittleEngine | None = None,
    told: ServiceSettings | None = None,
    stop: asyncio.Event | None = None,
) -> AsyncIterator[SchedulerService]:
    """A service that has listed everything; stopped in the end as by SIGTERM. A failure of it fails the test."""
    service = SchedulerService(api.access, engine or LittleEngine(), told or settings(), Tally())
    stop = stop or asyncio.Event()
    run = asyncio.create_task(service.run(stop))
    try:
        await api.until(lambda: service.filled or run.done())
        yield service
    finally:
        stop.set()
        await run


def counts(service: SchedulerService) -> dict[str, int]:
    tally = service._measures
    assert isinstance(tally, Tally)
    return tally.counts
