"""The asynchronous session: errors, time limits, repeats, several servers, TLS, tokens, sockets handed over."""

from __future__ import annotations

import array
import pickle
import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fake_api import Break, Drop, FakeApi, Hang, Refuse

from idcbench.kube.apierror import ApiError, is_transient, retry_after_s
from idcbench.kube.backoff import Backoff
from idcbench.kube.objects import Pod
from idcbench.kube.session import ApiSession

POD = "/api/v1/namespaces/default/pods/a"
PODS = "/api/v1/namespaces/default/pods"


async def test_read_write_delete(api: FakeApi) -> None:
    async with ApiSession(api.access) as session:
        made = await session.post(PODS, {"metadata": {"name": "a"}, "spec": {"nodeName": "n1"}})
        pod = await session.read(Pod, POD)
        assert (pod.metadata.namespace, pod.spec.node_name) == ("default", "n1")
        assert await session.get(POD) == made
        await session.patch(POD, {"spec": {"nodeName": None}})
        assert api.seen[-1].headers["Content-Type"] == "application/merge-patch+json"
        await session.put(POD, {"metadata": {"name": "a"}, "spec": {"nodeName": "n2"}})
        assert (await session.read(Pod, POD)).spec.node_name == "n2"
        await session.delete(POD, {"gracePeriodSeconds": 0})
        with pytest.raises(ApiError) as refused:
            await session.get(POD)
    assert (refused.value.status, refused.value.reason, refused.value.path) == (404, "NotFound", POD)


async def test_an_answer_that_is_no_status_object_is_quoted(api: FakeApi) -> None:
    api.next(Refuse(502, body=b"<html>Bad Gateway"))
    async with ApiSession(api.access, read_retries=0) as session:
        with pytest.raises(ApiError, match="502 Bad Gateway: <html>Bad Gateway"):
            await session.get(POD)


@pytest.mark.parametrize("fault", [Refuse(429, retry_after="0"), Refuse(500), Refuse(503), Break()])
async def test_a_read_is_repeated_and_says_so(
    api: FakeApi, fault: Refuse | Break, caplog: pytest.LogCaptureFixture
) -> None:
    api.put(POD, {})
    api.next(fault, times=2)
    async with ApiSession(api.access, backoff_most_s=0.01) as session:
        assert (await session.read(Pod, POD)).metadata.name == "a"
    assert sum("trying again" in message for message in caplog.messages) == 2
    assert api.count() == 3


async def test_a_read_is_repeated_so_often_only(api: FakeApi) -> None:
    api.next(Refuse(500), times=9)
    async with ApiSession(api.access, backoff_most_s=0.01, read_retries=2) as session:
        with pytest.raises(ApiError, match="500"):
            await session.get(POD)
    assert api.count() == 3


async def test_retry_after_is_waited_for(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)

    monkeypatch.setattr("idcbench.kube.session.asyncio.sleep", sleep)
    api.put(POD, {})
    api.next(Refuse(429, retry_after="7"))
    async with ApiSession(api.access) as session:
        await session.get(POD)
    assert slept == [7.0]


@pytest.mark.parametrize("fault", [Refuse(429, retry_after="0"), Refuse(500), Drop(), Break(), Hang()])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
async def test_a_write_is_sent_once_also_on_a_kept_connection(
    api: FakeApi, fault: Refuse | Drop | Break, method: str
) -> None:
    api.put(POD, {})
    async with ApiSession(api.access, timeout_s=0.2) as session:
        await session.get(POD)
        api.next(fault, method=method)
        send = {"PUT": session.put, "DELETE": session.delete, "POST": session.post, "PATCH": session.patch}[method]
        with pytest.raises(ApiError):
            await send(POD, {})
    assert api.count(method=method) == 1


async def test_no_answer_in_time_is_status_0(api: FakeApi) -> None:
    api.next(Hang())
    async with ApiSession(api.access, timeout_s=0.1, read_retries=0) as session:
        with pytest.raises(ApiError, match=f"{api.url} gave no answer .not within the time limit") as failed:
            await session.get(POD)
    assert failed.value.status == 0


async def test_a_read_goes_on_with_the_next_server(three: FakeApi) -> None:
    three.put(POD, {})
    three.stop(0)
    three.next(Hang(), member=1)
    async with ApiSession(three.access, server=three.urls, timeout_s=0.3) as session:
        assert (await session.read(Pod, POD)).metadata.name == "a"
        assert session.server == three.urls[2]
        session.move_on(three.urls[0])  # somebody else's news is old
        assert session.server == three.urls[2]
    async with ApiSession(three.access, server=three.urls[1]) as session:
        assert session.servers == (three.urls[1],)


async def test_errors_can_be_sent_between_processes() -> None:
    error = ApiError(429, "TooManyRequests", "slow down", "/x", "POST", 3.0)
    again = pickle.loads(pickle.dumps(error))
    assert (again.retry_after_s, again.method, str(again)) == (3.0, "POST", str(error))


def test_retry_after_is_seconds_or_a_date() -> None:
    later = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    date_s = retry_after_s(later)
    assert date_s is not None
    assert 57 < date_s <= 60
    assert [retry_after_s(each) for each in (None, "2", "soon", "Mon, 01 Jan 2001 00:00:00 GMT")] == [None, 2, None, 0]


def test_delays_double_to_a_limit_and_asked_ones_are_bounded() -> None:
    backoff = Backoff(first_s=0.1, most_s=1.0)
    assert [round(backoff.next_s(), 1) for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert (backoff.next_s(2.0), backoff.next_s(10_000.0)) == (2.0, 30.0)
    backoff.reset()
    assert backoff.next_s() == 0.1


async def test_tls_and_a_token_that_rotates(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, tmp_path / "key.pem")
    token = tmp_path / "token"
    with FakeApi(folder=tmp_path, tls=server) as api:
        api.put(POD, {})
        access = replace(api.access, ca_file=certificate, token_file=token)
        async with ApiSession(access) as session:
            for text in ("one", "two"):
                token.write_text(text)
                await session.get(POD)
                assert api.seen[-1].headers["Authorization"] == f"Bearer {text}"
        async with ApiSession(api.access) as distrustful:
            with pytest.raises(ApiError, match=r"certificate .* is not to be trusted .*; is this its CA"):
                await distrustful.get(POD)


async def test_a_server_without_tls_is_asked_once(api: FakeApi) -> None:
    access = replace(api.access, server=api.access.server.replace("http:", "https:"))
    async with ApiSession(access) as session:
        with pytest.raises(ApiError, match="does not speak TLS; is this its port") as refused:
            await session.get(POD)
    assert not is_transient(refused.value)


async def test_sockets_come_from_the_gateway(api: FakeApi, tmp_path: Path) -> None:
    api.put(POD, {})
    handed = 0

    def hand_out(gateway: socket.socket) -> None:
        nonlocal handed
        asker, _ = gateway.accept()
        with asker, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as given:
            descriptors = array.array("i", [given.fileno()])
            asker.sendmsg([b"s"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
            handed += 1

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as gateway:
        gateway.bind(str(tmp_path / "gw"))
        gateway.listen()
        thread = threading.Thread(target=hand_out, args=(gateway,))
        thread.start()
        async with ApiSession(replace(api.access, gateway=tmp_path / "gw")) as session:
            assert (await session.read(Pod, POD)).metadata.name == "a"
        thread.join()
    assert handed == 1
    async with ApiSession(replace(api.access, gateway=tmp_path / "none"), read_retries=0) as session:
        with pytest.raises(ApiError, match="No such file"):
            await session.get(POD)


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fake")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem"
