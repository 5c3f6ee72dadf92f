"""The API server in memory: what it answers, what its watches see, and what survives a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from idcbench.kube.apierror import ApiError
from idcbench.kube.listing import list_all
from idcbench.kube.objects import Event, Pod
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import watch
from idcbench.scheduler.bench import templates as t
from idcbench.scheduler.bench.ceiling import scheduled_event
from idcbench.scheduler.bench.memory import MemoryArena

from .asking import ask
from .requests_table import PODS, REQUESTS, Asked, binding


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda asked: asked.name)
async def test_it_answers_as_the_table_says(memory: MemoryArena, asked: Asked) -> None:
    assert (await ask(memory.access, asked))[0] == asked.status


async def test_a_watch_sees_every_change_in_order(memory: MemoryArena) -> None:
    async with ApiSession(memory.access) as api:
        seen: list[tuple[str, str, str]] = []

        async def follow() -> None:
            async with aclosing(watch(api, Pod, "/api/v1/pods")) as events:
                async for event in events:
                    pod = event.object
                    seen.append((event.type, pod.metadata.name, pod.spec.node_name))
                    if event.type == "DELETED":
                        return

        await api.post(PODS, t.pod("waiting"))
        following = asyncio.create_task(follow())
        while not seen:
            await asyncio.sleep(0.01)
        await api.post(f"{PODS}/waiting/binding", binding())
        await api.delete(f"{PODS}/waiting", {"gracePeriodSeconds": 0})
        await asyncio.wait_for(following, 10)
    assert seen == [("ADDED", "waiting", ""), ("MODIFIED", "waiting", "here"), ("DELETED", "waiting", "here")]


async def lines_of(api: ApiSession, **query: str) -> AsyncIterator[dict[str, Any]]:
    async with api.stream("/api/v1/pods", query={"watch": "true", **query}, idle_s=10) as content:
        async for line in content:
            yield msgspec.json.decode(line)


async def test_a_watch_that_begins_with_a_list(memory: MemoryArena) -> None:
    async with ApiSession(memory.access) as api:
        await api.post(PODS, t.pod("one"))
        query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
        async with aclosing(lines_of(api, **query)) as lines:
            added, mark = await anext(lines), await anext(lines)
    assert (added["type"], mark["type"]) == ("ADDED", "BOOKMARK")
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert mark["object"]["metadata"]["resourceVersion"] == added["object"]["metadata"]["resourceVersion"]


async def test_a_selection_by_field_sees_pods_come_and_go(memory: MemoryArena) -> None:
    async with ApiSession(memory.access) as api:
        await api.post(PODS, t.pod("waiting"))
        listed = await list_all(api, Pod, "/api/v1/pods", query={"fieldSelector": "spec.nodeName=here"})
        assert listed.items == ()
        async with aclosing(lines_of(api, fieldSelector="spec.nodeName=", resourceVersion="0")) as lines:
            added = await anext(lines)
            await api.post(f"{PODS}/waiting/binding", binding())
            deleted = await anext(lines)
    assert (added["type"], deleted["type"]) == ("ADDED", "DELETED")
    assert deleted["object"]["spec"]["nodeName"] == "here"


async def test_a_version_that_is_forgotten_is_expired(memory: MemoryArena) -> None:
    async with ApiSession(memory.access) as api:
        await api.post(PODS, t.pod("one"))
    await memory.keep("one")
    await memory.restore("one")
    async with ApiSession(memory.access) as api:
        async with aclosing(lines_of(api, resourceVersion="1")) as lines:
            error = await anext(lines)
        assert (error["type"], error["object"]["code"]) == ("ERROR", 410)
        listed = await list_all(api, Pod, "/api/v1/pods")
        assert [pod.metadata.name for pod in listed.items] == ["one"]
        assert int(listed.resource_version) >= int(listed.items[0].metadata.resource_version)


async def test_pages_are_of_one_version(memory: MemoryArena) -> None:
    async with ApiSession(memory.access) as api:
        for number in range(5):
            await api.post(PODS, t.pod(f"pod-{number}"))
        listed = await list_all(api, Pod, "/api/v1/pods", page_size=2)
        assert [pod.metadata.name for pod in listed.items] == [f"pod-{number}" for number in range(5)]
        page = await api.read(dict, "/api/v1/pods", query={"limit": "2"})
        await api.post(PODS, t.pod("pod-9"))
        with pytest.raises(ApiError, match="Expired"):
            await api.get("/api/v1/pods", query={"limit": "2", "continue": page["metadata"]["continue"]})


async def test_events_have_two_faces(memory: MemoryArena) -> None:
    async with ApiSession(memory.access) as api:
        pod = t.pod("one")
        await api.post("/apis/events.k8s.io/v1/namespaces/default/events", scheduled_event(pod, "here"))
        (event,) = (await list_all(api, Event, "/api/v1/events")).items
    assert (event.reason, event.involved_object.name) == ("Scheduled", "one")
    assert event.message == "Successfully assigned default/one to here"


async def test_a_placed_pod_gets_its_grace(memory: MemoryArena) -> None:
    async with ApiSession(memory.access) as api:
        await api.post(PODS, t.placed(t.pod("one"), "here"))
        await api.delete(f"{PODS}/one")
        pod = await api.read(Pod, f"{PODS}/one")
        assert pod.metadata.deletion_timestamp is not None
        await api.delete(f"{PODS}/one", {"gracePeriodSeconds": 0})
        with pytest.raises(ApiError, match="not found"):
            await api.get(f"{PODS}/one")


async def test_conditions_are_merged_by_their_type(memory: MemoryArena) -> None:
    kind = "application/strategic-merge-patch+json"
    async with ApiSession(memory.access) as api:
        await api.post(PODS, t.pod("one"))
        for kinds in (["Ready", "PodScheduled"], ["PodScheduled"]):
            conditions = [{"type": one, "status": "False", "reason": f"{len(kinds)}"} for one in kinds]
            order = {"$setElementOrder/conditions": [{"type": one} for one in kinds]}
            await api.patch(f"{PODS}/one/status", {"status": {"conditions": conditions} | order}, content_type=kind)
        pod = await api.read(dict, f"{PODS}/one")
    assert {one["type"]: one["reason"] for one in pod["status"]["conditions"]} == {"Ready": "2", "PodScheduled": "1"}
    assert pod["status"]["phase"] == "Pending"
