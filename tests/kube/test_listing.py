"""Lists in pages."""

from __future__ import annotations

import time

import msgspec
import pytest
from fake_api import FakeApi, Refuse

from idcbench.kube.apierror import ApiError
from idcbench.kube.listing import list_all
from idcbench.kube.objects import ObjectMeta, Pod
from idcbench.kube.session import ApiSession

PODS = "/api/v1/pods"


def fill(api: FakeApi, names: str) -> None:
    for name in names:
        api.put(f"/api/v1/namespaces/default/pods/{name}", {"spec": {"nodeName": "n"}, "unknown": [1]})


async def test_all_pages_are_read_and_the_version_is_that_of_the_list(api: FakeApi) -> None:
    fill(api, "abcde")
    before_ns = time.monotonic_ns()
    async with ApiSession(api.access) as session:
        listing = await list_all(session, Pod, PODS, query={"labelSelector": "app=x"}, page_size=2)
    assert "".join(pod.metadata.name for pod in listing.items) == "abcde"
    assert listing.resource_version == str(api.store.version)
    assert before_ns < listing.received_ns < time.monotonic_ns()
    assert [seen.query.get("limit") for seen in api.seen] == ["2"] * 3
    assert {seen.query["labelSelector"] for seen in api.seen} == {"app=x"}


async def test_an_empty_list_may_be_null(api: FakeApi) -> None:
    async with ApiSession(api.access) as session:
        assert (await list_all(session, Pod, PODS)).items == ()


async def test_pages_that_expire_begin_the_list_anew(api: FakeApi) -> None:
    fill(api, "abc")
    api.next(Refuse(410, "Expired"), times=2, path=PODS)
    async with ApiSession(api.access) as session:
        listing = await list_all(session, Pod, PODS, page_size=2)
        assert len(listing.items) == 3
        assert "limit" not in api.seen[-1].query
        api.next(Refuse(410, "Expired"), times=3)
        with pytest.raises(ApiError, match="410 Expired"):
            await list_all(session, Pod, PODS, page_size=2)


async def test_a_page_that_expires_in_the_middle(api: FakeApi) -> None:
    fill(api, "abc")

    class Compacting(ApiSession):
        async def get(self, *args: object, **named: object) -> bytes:
            body = await super().get(*args, **named)  # type: ignore[arg-type]
            if len(api.seen) == 1:
                api.put("/api/v1/namespaces/default/pods/d", {})
                api.compact()
            return body

    async with Compacting(api.access) as session:
        listing = await list_all(session, Pod, PODS, page_size=2)
    assert "".join(pod.metadata.name for pod in listing.items) == "abcd"


async def test_an_object_that_does_not_fit_is_an_error(api: FakeApi) -> None:
    class Strict(msgspec.Struct):
        needed: int
        metadata: ObjectMeta = ObjectMeta()

    fill(api, "a")
    async with ApiSession(api.access) as session:
        with pytest.raises(msgspec.ValidationError, match="needed"):
            await list_all(session, Strict, PODS)


async def test_one_that_does_not_fit_is_told_and_left_out(api: FakeApi) -> None:
    fill(api, "abc")
    api.put("/api/v1/namespaces/default/pods/b", {"spec": 5})
    told: list[str] = []
    async with ApiSession(api.access) as session:
        found = await list_all(
            session, Pod, PODS, page_size=2, unreadable=lambda obj, why: told.append(f"{obj.metadata.name}: {why}")
        )
    assert "".join(pod.metadata.name for pod in found.items) == "ac"
    assert [obj.metadata.name for obj in found.misfits] == ["b"]
    assert told == ["b: Expected `object`, got `int` - at `$.spec`"]


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"items":', b'{"items":5}', b"[]", b"\xff", b'{"items":' + b"[" * 100_000]
)
@pytest.mark.parametrize("told", [True, False])
async def test_what_is_no_list_is_an_error_of_the_api(api: FakeApi, body: bytes, told: bool) -> None:
    api.next(Refuse(200, body=body))
    async with ApiSession(api.access) as session:
        with pytest.raises((ApiError, msgspec.ValidationError), match=r"Garbled|Expected"):
            await list_all(session, Pod, PODS, unreadable=(lambda *_: None) if told else None)
