"""Ask running schedulers what they know of a pod; the leader's answer counts."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence

import aiohttp
import msgspec

from idcbench.kube.access import Access
from idcbench.kube.apierror import ApiError
from idcbench.kube.listing import MISFITS
from idcbench.kube.session import ApiSession

from ...errors import ClusterError
from .record import Explained

PORT = 10260
"""Of ``idcbench scheduler run``, unless it is told another."""
LABEL = "app.kubernetes.io/name=idcbench-scheduler"
LIMIT_S = 5.0

_log = logging.getLogger(__name__)


class _Status(msgspec.Struct, rename="camel"):
    pod_ip: str = msgspec.field(default="", name="podIP")


class _Pod(msgspec.Struct):
    status: _Status


class _Pods(msgspec.Struct):
    items: tuple[_Pod, ...] = ()


async def ask_schedulers(
    access: Access, urls: Sequence[str], *, namespace: str, pod: str, check: bool = True, named: bool = False
) -> Explained | None:
    """What the leader says, else what any of them says; ``None`` when none of them answers or knows the pod.

    With ``check``, a server's certificate has to be signed by the cluster's CA and to name it. ``named``: somebody said
    that they are there. Raises :class:`ClusterError` when all of those that answer refuse, or one that was named is not
    there and nobody knows the pod.
    """
    path = f"/debug/explain/{namespace}/{pod}"
    answers = await asyncio.gather(*(_ask(access, url + path, check=check, named=named) for url in urls))
    known = [answer for answer in answers if isinstance(answer, Explained)]
    refused = [answer for answer in answers if isinstance(answer, str) and answer]
    if not known and refused:
        raise ClusterError(f"no scheduler tells about the pod: {'; '.join(refused)}")
    return max(known, key=lambda answer: answer.leader, default=None)


async def scheduler_pods(access: Access) -> list[str]:
    """URLs of the scheduler's pods in the cluster, by their label; none when they may not be read."""
    async with ApiSession(access, read_retries=0) as api:
        try:
            found = await api.read(_Pods, "/api/v1/pods", query={"labelSelector": LABEL})
        except ApiError as error:
            _log.info("the scheduler's pods are not known: %s", error)
            return []
    return [f"https://{pod.status.pod_ip}:{PORT}" for pod in found.items if pod.status.pod_ip]


async def _ask(access: Access, url: str, *, check: bool, named: bool) -> Explained | str:
    """The answer, or why there is none; empty when the pod is unknown, or nobody there who was not ``named``."""
    connector = aiohttp.TCPConnector(ssl=_trust(access, check=check), socket_factory=access.socket_factory())
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=LIMIT_S)) as client,
            client.get(url, headers=access.headers()) as answer,
        ):
            body = await answer.read()
    except aiohttp.ClientConnectorCertificateError:
        return f"{url}: its certificate is not signed by the cluster's CA; --insecure accepts it"
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        _log.info("%s: no answer: %s", url, error)
        return f"{url}: no answer ({error}); --today asks no scheduler" if named else ""
    if answer.status == 200:
        try:
            return msgspec.json.decode(body, type=Explained)
        except MISFITS as error:
            return f"{url}: this is no scheduler of idcbench, or of another version ({error})"
    return "" if answer.status == 404 else f"{url}: {answer.status} {body.decode(errors='replace')[:300]}"


def _trust(access: Access, *, check: bool) -> ssl.SSLContext:
    context = access.ssl_context()
    if not check:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
