"""A watch against a server that cuts, stalls, repeats, forgets and refuses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pytest
from fake_api import (
    GONE,
    Break,
    Cut,
    Drop,
    End,
    FakeApi,
    Fault,
    HalfLine,
    Hang,
    Refuse,
    Repeat,
    Say,
    Stall,
)

from idcbench.kube import watch as watch_module
from idcbench.kube.apierror import ApiError
from idcbench.kube.listing import list_all
from idcbench.kube.objects import ConfigMap, ObjectMeta, Pod
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import WatchEvent, watch

PODS = "/api/v1/pods"
IN_DEFAULT = "/api/v1/namespaces/default/pods"


class Watched:
    """A watch at work, and what it told so far."""

    def __init__(self, events: AsyncIterator[WatchEvent[Pod]]) -> None:
        self._events = events
        self.told: list[str] = []
        self.events: list[WatchEvent[Pod]] = []

    async def until(self, *told: str) -> None:
        """Read on until these are the last that were told."""
        async with asyncio.timeout(10):
            while tuple(self.told[-len(told) :]) != told:
                event = await anext(self._events)
                self.events.append(event)
                self.told.append(f"{event.type} {event.object.metadata.name}")


@asynccontextmanager
async def watching(
    api: FakeApi, *, servers: Sequence[str] = (), session: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Watched]:
    given = {"backoff_most_s": 0.02} | (session or {})
    async with (
        ApiSession(api.access, server=servers or None, **given) as connected,
        aclosing(watch(connected, Pod, PODS, **options)) as events,
    ):
        yield Watched(events)


@pytest.fixture(autouse=True)
def _short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "BACKOFF_FIRST_S", 0.01)


def streams(api: FakeApi) -> list[dict[str, str]]:
    return [seen.query for seen in api.seen if seen.watch]


def lists(api: FakeApi) -> int:
    return api.count(watch=False)


async def test_it_begins_with_what_is_there_and_goes_on(api: FakeApi) -> None:
    api.put(f"{IN_DEFAULT}/a", {})
    async with watching(api) as seen:
        await seen.until("ADDED a")
        api.put(f"{IN_DEFAULT}/b", {"spec": {"nodeName": "n1"}})
        api.put(f"{IN_DEFAULT}/b", {"spec": {"nodeName": "n2"}})
        api.remove(f"{IN_DEFAULT}/a")
        await seen.until("ADDED b", "MODIFIED b", "DELETED a")
    assert [event.listed for event in seen.events] == [True, False, False, False]
    assert seen.events[2].object.spec.node_name == "n2"
    assert streams(api) == [
        {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": "300", "resourceVersion": "101"}
    ]


async def test_it_begins_where_a_list_ended(api: FakeApi) -> None:
    api.put(f"{IN_DEFAULT}/a", {})
    async with ApiSession(api.access) as session:
        start = await list_all(session, Pod, PODS)
    api.put(f"{IN_DEFAULT}/a", {"spec": {"nodeName": "n"}})
    async with watching(api, start=start, query={"labelSelector": "x=y"}) as seen:
        await seen.until("MODIFIED a")
    assert seen.told == ["MODIFIED a"]
    assert streams(api)[0]["labelSelector"] == "x=y"


@pytest.mark.parametrize(
    "fault",
    [
        Cut(after=1),
        HalfLine(after=1),
        End(after=1),
        Say(b'{"type":"ADDED","obj\n', after=1),
        Say(b"\xff\n", after=1),
        Say(b'{"type":"ERROR","object":{"kind":"Status","code":500,"reason":"InternalError","message":"etcd"}}\n', 1),
    ],
)
async def test_a_stream_that_breaks_is_resumed_without_gap_or_repeat(api: FakeApi, fault: Fault) -> None:
    api.put(f"{IN_DEFAULT}/a", {})
    api.next(fault, watch=True)
    async with watching(api) as seen:
        await seen.until("ADDED a")
        for name in "bcd":
            api.put(f"{IN_DEFAULT}/{name}", {})
        await seen.until("ADDED d")
    assert seen.told == ["ADDED a", "ADDED b", "ADDED c", "ADDED d"]
    assert [query["resourceVersion"] for query in streams(api)] == ["101", "102"]
    assert lists(api) == 1


async def test_a_silent_stream_is_dropped_and_resumed(api: FakeApi) -> None:
    api.put(f"{IN_DEFAULT}/a", {})
    api.next(Stall(after=1), watch=True)
    async with watching(api, idle_s=0.3) as seen:
        await seen.until("ADDED a")
        api.put(f"{IN_DEFAULT}/b", {})
        api.put(f"{IN_DEFAULT}/c", {})
        await seen.until("ADDED b", "ADDED c")
    assert lists(api) == 1
    assert [query["resourceVersion"] for query in streams(api)] == ["101", "102"]


async def test_a_repeat_is_told_once(api: FakeApi) -> None:
    for name in "ab":
        api.put(f"{IN_DEFAULT}/{name}", {})
    api.remove(f"{IN_DEFAULT}/b")
    api.next(Repeat(), watch=True)
    async with watching(api) as seen:
        await seen.until("ADDED a")
        api.put(f"{IN_DEFAULT}/c", {})
        await seen.until("ADDED c")
    assert seen.told == ["ADDED a", "ADDED c"]


@pytest.mark.parametrize("how", ["status", "event", "really"])
async def test_an_expired_version_tells_the_difference(api: FakeApi, how: str) -> None:
    for name in ("kept", "changed", "gone", "anew"):
        api.put(f"{IN_DEFAULT}/{name}", {})
    if how == "event":
        api.next(Say(GONE), watch=True)
    else:
        api.next(End(), watch=True)
        if how == "status":
            api.next(Refuse(410, "Expired"), watch=True)

    async with watching(api) as seen:
        await seen.until("ADDED anew", "ADDED changed", "ADDED gone", "ADDED kept")
        api.put(f"{IN_DEFAULT}/changed", {"spec": {"nodeName": "n"}})
        api.remove(f"{IN_DEFAULT}/gone")
        api.remove(f"{IN_DEFAULT}/anew")
        api.put(f"{IN_DEFAULT}/anew", {})
        api.put(f"{IN_DEFAULT}/new", {})
        if how == "really":
            api.compact()
        await seen.until("DELETED gone", "DELETED anew", "ADDED anew", "MODIFIED changed", "ADDED new")
        assert {event.listed for event in seen.events} == {True}
        api.put(f"{IN_DEFAULT}/later", {})
        await seen.until("ADDED later")
    assert lists(api) == 2


async def test_bookmarks_save_a_list(api: FakeApi) -> None:
    api.put(f"{IN_DEFAULT}/a", {})
    api.next(Cut(after=1), watch=True)
    async with watching(api) as seen:
        await seen.until("ADDED a")
        api.put("/api/v1/nodes/n", {})  # moves the version on, unseen by this watch
        api.bookmark()
        reading = asyncio.ensure_future(seen.until("ADDED b"))
        await asyncio.to_thread(wait_until, lambda: len(streams(api)) == 2)
        api.put(f"{IN_DEFAULT}/b", {})
        await reading
    assert [query["resourceVersion"] for query in streams(api)] == ["101", "103"]
    assert lists(api) == 1


@pytest.mark.parametrize("fault", [Refuse(429, retry_after="0"), Refuse(500), Refuse(503), Break(), Drop()])
async def test_a_stream_that_is_refused_is_asked_again(
    api: FakeApi, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    api.put(f"{IN_DEFAULT}/a", {})
    api.next(fault, watch=True, times=3)
    with caplog.at_level(logging.WARNING):
        async with watching(api) as seen:
            await seen.until("ADDED a")
            api.put(f"{IN_DEFAULT}/b", {})
            await seen.until("ADDED b")
    assert sum("going on in" in message for message in caplog.messages) == 3
    assert lists(api) == 1


async def test_retry_after_of_a_refused_stream_is_waited_for(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    really = asyncio.sleep

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)
        await really(0)

    monkeypatch.setattr(watch_module.asyncio, "sleep", sleep)
    api.next(Refuse(429, retry_after="9"), watch=True)
    async with watching(api) as seen:
        reading = asyncio.ensure_future(seen.until("ADDED a"))
        await asyncio.to_thread(wait_until, lambda: len(streams(api)) == 2)
        api.put(f"{IN_DEFAULT}/a", {})
        await reading
    assert slept == [9.0]


async def test_a_list_that_fails_is_asked_again(api: FakeApi) -> None:
    api.put(f"{IN_DEFAULT}/a", {})
    api.next(Refuse(500), watch=False, times=6)
    async with watching(api) as seen:
        await seen.until("ADDED a")
    assert lists(api) == 7


async def test_what_is_refused_at_first_is_raised_and_later_waited_out(api: FakeApi) -> None:
    api.next(Refuse(403, "Forbidden"))
    async with watching(api) as seen:
        with pytest.raises(ApiError, match="403 Forbidden"):
            await seen.until("ADDED a")
    api.put(f"{IN_DEFAULT}/a", {})
    api.next(Refuse(403, "Forbidden"), watch=True)
    async with watching(api) as seen:
        await seen.until("ADDED a")
        api.put(f"{IN_DEFAULT}/b", {})
        await seen.until("ADDED b")


async def test_it_gives_up_when_nothing_is_reached_for_too_long(api: FakeApi) -> None:
    api.put(f"{IN_DEFAULT}/a", {})
    async with watching(api, give_up_s=0.2) as seen:
        await seen.until("ADDED a")
        api.stop()
        with pytest.raises(ApiError, match="gave no answer"):
            await seen.until("ADDED b")


async def test_a_stream_that_always_ends_at_once_is_not_asked_without_pause(api: FakeApi) -> None:
    api.next(End(), watch=True, times=1000)
    async with watching(api) as seen:
        started_s = time.monotonic()
        reading = asyncio.ensure_future(seen.until("ADDED a"))
        await asyncio.to_thread(wait_until, lambda: len(streams(api)) >= 5)
        assert time.monotonic() - started_s > 0.01 + 0.02 + 0.04
        reading.cancel()
        await asyncio.wait([reading])


async def test_a_server_that_dies_is_left_for_the_next(three: FakeApi) -> None:
    three.put(f"{IN_DEFAULT}/a", {})
    async with watching(three, servers=three.urls) as seen:
        await seen.until("ADDED a")
        for member, name in ((0, "b"), (1, "c")):
            three.stop(member)
            three.put(f"{IN_DEFAULT}/{name}", {})
            await seen.until(f"ADDED {name}")
        three.start(0)
        three.stop(2)
        three.put(f"{IN_DEFAULT}/d", {})
        await seen.until("ADDED d")
    assert seen.told == [f"ADDED {name}" for name in "abcd"]
    assert lists(three) == 1


async def test_a_server_that_falls_silent_is_left_for_the_next(three: FakeApi) -> None:
    three.put(f"{IN_DEFAULT}/a", {})
    three.next(Stall(), watch=True, member=0)
    three.next(Hang(), member=1)
    async with watching(three, servers=three.urls, idle_s=0.3) as seen:
        await seen.until("ADDED a")
        three.put(f"{IN_DEFAULT}/b", {})
        await seen.until("ADDED b")
    assert [seen.member for seen in three.seen if seen.watch][:3] == [0, 1, 2]


async def test_a_line_longer_than_a_megabyte(api: FakeApi) -> None:
    api.put(f"{IN_DEFAULT}/a", {})
    async with watching(api) as seen:
        await seen.until("ADDED a")
        long = "x" * 3_000_000
        api.put(f"{IN_DEFAULT}/b", {"metadata": {"annotations": {"long": long}}})
        await seen.until("ADDED b")
    assert seen.events[-1].object.metadata.annotations == {"long": long}


async def test_time_stamps_are_of_arrival_however_slow_the_caller_is(api: FakeApi) -> None:
    api.put(f"{IN_DEFAULT}/a", {})
    async with watching(api) as seen:
        await seen.until("ADDED a")
        api.put(f"{IN_DEFAULT}/b", {})
        await seen.until("ADDED b")
        api.put(f"{IN_DEFAULT}/c", {})
        api.put(f"{IN_DEFAULT}/d", {})
        await asyncio.sleep(0.3)  # a caller that is busy elsewhere
        late_ns = time.monotonic_ns()
        await seen.until("ADDED d")
    assert all(late_ns - event.received_ns > 150e6 for event in seen.events[-2:])


async def test_an_object_that_does_not_fit_is_an_error_but_a_bookmark_need_not(api: FakeApi) -> None:
    class Strict(msgspec.Struct):
        data: dict[str, str]
        metadata: ObjectMeta = ObjectMeta()

    path = "/api/v1/namespaces/default/configmaps"
    async with ApiSession(api.access) as session, aclosing(watch(session, Strict, path)) as events:
        api.put(f"{path}/a", {"data": {"k": "v"}})
        assert (await anext(events)).object.data == {"k": "v"}
        api.bookmark()
        api.put(f"{path}/b", {"data": {}})
        assert (await anext(events)).object.metadata.name == "b"
        api.put(f"{path}/c", {"data": 5})
        with pytest.raises(msgspec.ValidationError, match="Expected `object`"):
            await anext(events)


async def test_a_misfit_stays_as_it_was_until_it_fits_or_is_gone(api: FakeApi) -> None:
    told: list[str] = []
    api.put(f"{IN_DEFAULT}/a", {"spec": {"nodeName": "n"}})
    api.put(f"{IN_DEFAULT}/b", {"spec": 5})
    async with watching(api, unreadable=lambda obj, _: told.append(obj.metadata.name)) as seen:
        await seen.until("ADDED a")
        api.put(f"{IN_DEFAULT}/a", {"spec": {"nodeName": 5}})
        api.compact()
        api.next(Cut(), watch=True)  # and a list that has them both
        api.put(f"{IN_DEFAULT}/b", {"spec": {}})
        await seen.until("ADDED b")
        api.put(f"{IN_DEFAULT}/b", {"spec": [1]})
        api.remove(f"{IN_DEFAULT}/b")
        await seen.until("DELETED b")
        api.put(f"{IN_DEFAULT}/a", {"spec": {"nodeName": "m"}})
        await seen.until("MODIFIED a")
    assert set(told) == {"a", "b"}
    assert len(seen.told) == 4


@pytest.mark.parametrize(
    "line",
    [
        b"null\n",
        b"[]\n",
        b'{"type":"ERROR","object":null}\n',
        b'{"type":"BOOKMARK","object":{"metadata":5}}\n',
        b'{"type":"ADDED","object":{"metadata":{"name":"\xff"}}}\n',
        b'{"type":"ADDED","object":' + b"[" * 100_000 + b"\n",
        b'{"type":"ADDED"\n',
    ],
)
async def test_lines_that_are_no_changes_are_lived_through(api: FakeApi, line: bytes) -> None:
    api.next(Say(line), watch=True)
    async with watching(api, unreadable=lambda *_: None) as seen:
        api.put(f"{IN_DEFAULT}/a", {})
        await seen.until("ADDED a")
    assert seen.told == ["ADDED a"]


async def test_leaving_early_leaves_nothing_behind(api: FakeApi) -> None:
    before = asyncio.all_tasks()
    async with ApiSession(api.access) as session, aclosing(watch(session, ConfigMap, "/api/v1/configmaps")) as events:
        api.put("/api/v1/namespaces/default/configmaps/a", {})
        await anext(events)
    assert asyncio.all_tasks() == before


def wait_until(holds: Any) -> None:
    ends_s = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends_s
        time.sleep(0.005)
