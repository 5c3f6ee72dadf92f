"""One leader at a time: taken over after death, handed over at the end, and nothing sent without a lease to last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fake_api import Refuse
from little_engine import LittleEngine
from running import counts, lease, running, settings
from scheduler_api import LEASE, SchedulerApi

from idcbench.kube.objects import Lease, LeaseSpec, ObjectMeta
from idcbench.scheduler.service import fence as fence_module
from idcbench.scheduler.service.fence import Fence
from idcbench.scheduler.service.leaserecord import Observed, released, taken
from idcbench.scheduler.service.measures import Tally
from idcbench.scheduler.service.service import SchedulerService
from idcbench.scheduler.service.settings import LeaseSettings, ServiceSettings


@asynccontextmanager
async def mortal(api: SchedulerApi, identity: str) -> AsyncIterator[tuple[SchedulerService, asyncio.Task[None]]]:
    """A service that may be killed by cancelling its task: it releases nothing then."""
    service = SchedulerService(api.access, LittleEngine(), settings(lease=lease(identity)), Tally())
    run = asyncio.create_task(service.run(asyncio.Event()))
    await api.until(lambda: service.filled or run.done())
    yield service, run
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_a_stand_by_is_warm_and_takes_over_from_a_dead_leader(api: SchedulerApi) -> None:
    api.node("one")
    async with mortal(api, "a") as (first, run):
        await api.until(lambda: first.leading)
        assert (api.lease()["holderIdentity"], api.lease()["leaseTransitions"]) == ("a", 0)
        async with running(api, told=settings(lease=lease("b"))) as second:
            api.pod("early")
            await api.until(lambda: any(api.nodes_of("early")))
            assert (second.leading, second.holder, second.filled) == (False, "a", True)
            await api.until(lambda: second.gauges().cached_pods == 1)
            run.cancel()
            died_s = time.monotonic()
            api.pod("late")
            await api.until(lambda: any(api.nodes_of("late")))
            assert (
                time.monotonic() - died_s > 3.4
            )  # the lease had 2.7 s left at least; then the dead one's request limit, 1 s
            assert (api.lease()["holderIdentity"], api.lease()["leaseTransitions"]) == ("b", 1)
    assert len(api.bindings()) == 2


async def test_a_leader_that_ends_hands_over_at_once(api: SchedulerApi) -> None:
    api.node("one")
    stop = asyncio.Event()
    async with running(api, told=settings(lease=lease("a")), stop=stop) as first:
        await api.until(lambda: first.leading)
        async with running(api, told=settings(lease=lease("b"))) as second:
            pods = [f"p{number}" for number in range(30)]
            for name in pods:
                api.pod(name)
            await api.until(lambda: any(api.nodes_of(*pods)))
            stop.set()
            await api.until(lambda: second.leading, within_s=1.0)
            assert api.lease()["leaseTransitions"] == 1
            await api.until(lambda: len(api.events("Scheduled")) == 30)
    assert len({each["metadata"]["name"] for each in api.bindings()}) == len(api.bindings()) == 30


async def test_a_leader_whose_lease_another_took_stops_and_stands_by(api: SchedulerApi) -> None:
    api.node("one")
    async with running(api, told=settings(lease=lease("a"))) as service:
        await api.until(lambda: service.leading)
        api.put(LEASE, {"spec": {"holderIdentity": "thief", "leaseDurationSeconds": 1, "leaseTransitions": 7}})
        await api.until(lambda: not service.leading)
        api.pod("p")
        await api.until(lambda: service.leading, within_s=4)
        assert api.lease()["leaseTransitions"] == 8
        await api.until(lambda: any(api.nodes_of("p")))
        assert counts(service)["leading False"] == 1


async def test_without_renewal_nothing_is_sent(api: SchedulerApi) -> None:
    api.node("one")
    async with running(api, told=settings(lease=lease("a"))) as service:
        await api.until(lambda: service.leading)
        api.next(Refuse(503), times=10_000, path="/apis/coordination")
        await asyncio.sleep(2.2)
        api.pod("p")
        await asyncio.sleep(0.3)
        assert api.bindings() == []


def test_a_fence_is_open_while_the_lease_outlasts_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(fence_module, "boot_s", lambda: now_s)
    fence = Fence()
    assert not fence.permits(0.0)
    fence.extend(now_s, 10.0)
    assert fence.permits(9.8)
    assert not fence.permits(10.0)  # clocks differ by up to 1 %
    now_s = 107.0
    assert fence.permits(2.0)
    assert not fence.permits(3.0)
    fence.close()
    assert not fence.permits(0.0)
    assert Fence.always_open().permits(1e9)


def observed(holder: str, version: int, *, renewed: str = "1", duration: int = 5, seen_s: float = 10.0) -> Observed:
    spec = LeaseSpec(holder_identity=holder, lease_duration_seconds=duration, renew_time=renewed, lease_transitions=2)
    return Observed(Lease(metadata=ObjectMeta(resource_version=str(version)), spec=spec), seen_s)


def test_a_lease_ages_by_our_own_clock_from_when_it_was_seen_to_change() -> None:
    first = observed("a", 7)
    assert first.expires_s == 15.0
    assert first.seen_again(observed("a", 7).lease, 12.0).expires_s == 15.0
    assert first.seen_again(observed("a", 6, renewed="0").lease, 12.0) is first
    assert first.seen_again(observed("a", 8, renewed="2").lease, 12.0).expires_s == 17.0
    assert observed("", 9).expires_s == 10.0


def test_the_lease_is_written_as_client_go_writes_it() -> None:
    told = LeaseSettings(identity="me")
    before = observed("other", 9).lease
    spec = taken(told, before)["spec"]
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("me", 15, 3)
    assert len(spec["renewTime"]) == len("2026-11-24T08:57:58.953075Z")
    assert taken(told, None)["spec"]["leaseTransitions"] == 0
    assert "resourceVersion" not in taken(told, None)["metadata"]
    left = released(told, observed("me", 10).lease)
    assert (left["spec"]["holderIdentity"], left["spec"]["leaseDurationSeconds"]) == ("", 1)
    assert (left["spec"]["leaseTransitions"], left["metadata"]["resourceVersion"]) == (2, "10")


@pytest.mark.parametrize("limit_s", [1.0, 5.0])
def test_a_request_limit_that_no_lease_outlasts_is_refused(limit_s: float) -> None:
    times = LeaseSettings(identity="x", duration_s=5, renew_deadline_s=4, retry_s=1)
    if limit_s < 4:
        ServiceSettings(lease=times, write=settings().write)
    else:
        with pytest.raises(ValueError, match="nothing could ever be bound"):
            ServiceSettings(lease=times)
