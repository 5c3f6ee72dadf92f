"""Explain asks what is no API server, and no scheduler of ours: a sentence, never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "kube"))

from fake_api import FakeApi, Refuse

from idcbench.errors import ClusterError
from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession
from idcbench.scheduler.explain.asking import ask_schedulers
from idcbench.scheduler.explain.today import read_pod

PAGES = (b"<html>sign in</html>", b"[]", b"null", b"\xff", b'{"metadata":5}')


@pytest.fixture
def api(tmp_path: Path) -> Iterator[FakeApi]:
    with FakeApi(folder=tmp_path) as fake:
        yield fake


@pytest.mark.parametrize("body", PAGES)
async def test_a_page_instead_of_a_pod(api: FakeApi, body: bytes) -> None:
    api.next(Refuse(200, body=body))
    async with ApiSession(api.access) as session:
        with pytest.raises(ApiError, match=r"Garbled: the answer is no pod .*is http://127.* an API server\?"):
            await read_pod(session, "default", "x")


@pytest.mark.parametrize("body", PAGES)
async def test_a_page_instead_of_an_explanation(api: FakeApi, body: bytes) -> None:
    api.next(Refuse(200, body=body))
    with pytest.raises(ClusterError, match=r"this is no scheduler of idcbench, or of another version"):
        await ask_schedulers(api.access, [api.url], namespace="default", pod="x")


async def test_nobody_there_is_told_to_whoever_said_where(api: FakeApi) -> None:
    nobody = "https://127.0.0.1:1"
    assert await ask_schedulers(api.access, [nobody], namespace="default", pod="x") is None
    with pytest.raises(ClusterError, match=r"https://127.0.0.1:1.*: no answer \(.*\); --today asks no scheduler"):
        await ask_schedulers(api.access, [nobody], namespace="default", pod="x", named=True)
