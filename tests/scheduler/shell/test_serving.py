"""What is answered over HTTP, to whom, and how the certificates are made."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from idcbench.errors import UsageError
from idcbench.kube.apierror import ApiError
from idcbench.scheduler.service.serving import Serving, Surface
from idcbench.scheduler.service.serving_auth import DelegatedGate, Gate, User, certified
from idcbench.scheduler.service.serving_tls import CertificateFiles, own_names, self_signed, server_context


class Reviews:
    """An API server that knows one token and lets one user read /metrics."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    async def post(self, path: str, body: Any) -> bytes:
        self.asked.append(path.rsplit("/", 1)[1])
        if self.away:
            raise ApiError(0, "Unreachable", "nobody", path, "POST")
        spec = body["spec"]
        if "token" in spec:
            known = spec["token"] == "good-token"
            status: Any = {"authenticated": known, "user": {"username": "prom", "groups": ["g"]} if known else {}}
        else:
            status = {"allowed": (spec["user"], spec["nonResourceAttributes"]["path"]) == ("prom", "/metrics")}
        return msgspec.json.encode({"status": status})


async def explain(namespace: str, pod: str) -> bytes | None:
    return b'{"pod":"a/b"}' if (namespace, pod) == ("a", "b") else None


@asynccontextmanager
async def served(
    *, gate: Gate | None = None, ready: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    surface = Surface(
        ready=lambda: ready if ready is not None else {"caches": ""},
        alive=lambda: {"ping": ""},
        metrics=lambda: b"a 1\n",
        explain=explain,
    )
    serving = Serving(surface, gate=gate, tls=tls)
    port = await serving.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as client:
        try:
            yield client, f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        finally:
            await serving.stop()


async def test_health_is_worded_as_kube_scheduler_words_it() -> None:
    async with served(ready={"caches": "", "leaderElection": "lost"}) as (client, url):
        async with client.get(f"{url}/livez") as answer:
            assert (answer.status, await answer.text()) == (200, "ok")
        async with client.get(f"{url}/readyz") as answer:
            assert answer.status == 500
            assert await answer.text() == ("[+]caches ok\n[-]leaderElection failed: lost\nreadyz check failed\n")
        async with client.get(f"{url}/readyz/caches") as answer:
            assert answer.status == 200
        async with client.get(f"{url}/readyz/none") as answer:
            assert answer.status == 404
        async with client.get(f"{url}/metrics/slis") as answer:
            text = await answer.text()
    assert 'kubernetes_healthcheck{name="leaderElection",type="readyz"} 0.0' in text
    assert 'kubernetes_healthchecks_total{name="ping",status="success",type="livez"} 1.0' in text


async def test_without_a_gate_all_is_open() -> None:
    async with served() as (client, url):
        async with client.get(f"{url}/metrics") as answer:
            assert (answer.status, await answer.text()) == (200, "a 1\n")
            assert answer.headers["Content-Type"].startswith("text/plain")
        async with client.get(f"{url}/debug/explain/a/b") as answer:
            assert await answer.json() == {"pod": "a/b"}
        async with client.get(f"{url}/debug/explain/a/none") as answer:
            assert answer.status == 404
        async with client.post(f"{url}/metrics") as answer:
            assert (answer.status, (await answer.json())["kind"]) == (405, "Status")


async def test_the_api_server_decides_who_reads() -> None:
    reviews = Reviews()
    async with served(gate=DelegatedGate(reviews)) as (client, url):  # type: ignore[arg-type]

        async def status(path: str, token: str = "") -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with client.get(url + path, headers=headers) as answer:
                return answer.status

        assert await status("/livez") == 200
        assert reviews.asked == []
        assert await status("/metrics") == 403
        assert await status("/metrics", "bad-token") == 401
        assert await status("/metrics", "good-token") == 200
        assert await status("/debug/explain/a/b", "good-token") == 403
        before = len(reviews.asked)
        assert await status("/metrics", "good-token") == 200
        assert len(reviews.asked) == before
        reviews.away = True
        assert await status("/metrics", "another") == 500
        assert await status("/nowhere", "good-token") == 500


async def test_a_scheme_that_is_not_bearer_is_no_user() -> None:
    gate = DelegatedGate(Reviews())  # type: ignore[arg-type]
    assert await gate.user("Basic YTpi", None) is None
    assert await gate.user("Bearer ", None) is None


async def test_masters_are_let_in_without_asking() -> None:
    reviews = Reviews()
    gate = DelegatedGate(reviews)  # type: ignore[arg-type]
    subject = ((("organizationName", "system:masters"),), (("commonName", "root"),))
    user = await gate.user("", {"subject": subject})
    assert user == certified({"subject": subject}) == User("root", ("system:masters", "system:authenticated"))
    assert await gate.allows(user, "/metrics", "get")
    assert reviews.asked == []


async def test_a_self_signed_certificate_names_the_host(tmp_path: Any) -> None:
    pem = self_signed(["here", "127.0.0.1"])
    (tmp_path / "both.pem").write_bytes(pem)
    context = server_context(CertificateFiles(tmp_path / "both.pem", tmp_path / "both.pem"), names=[])
    trusting = ssl.create_default_context(cadata=pem[pem.index(b"-----BEGIN CERT") :].decode())
    async with served(tls=context) as (client, url), client.get(f"{url}/healthz", ssl=trusting) as answer:
        assert await answer.text() == "ok"


async def test_without_files_the_key_stays_in_memory() -> None:
    context = server_context(None, names=own_names("0.0.0.0"))
    async with served(tls=context) as (client, url), client.get(f"{url}/healthz", ssl=False) as answer:
        assert answer.status == 200


def test_a_file_that_is_no_certificate_is_told(tmp_path: Any) -> None:
    (tmp_path / "x").write_text("x")
    with pytest.raises(UsageError, match=r"--tls-cert-file .*x.*a certificate and its key in PEM are wanted"):
        server_context(CertificateFiles(tmp_path / "x", tmp_path / "x"), names=[])
