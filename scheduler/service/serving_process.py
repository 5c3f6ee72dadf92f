"""The process: settings to a service that runs, serves HTTP beside, and ends in good order at SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from idcbench.kube.access import Access
from idcbench.kube.session import ApiSession

from ...errors import ClusterError
from ..core import kernels
from ..core.compiling import telling
from ..engine.engine import ClusterEngine
from ..explain.record import Explained, past_of
from ..explain.today import read_pod
from .config import Configuration
from .metrics import ServiceMetrics
from .service import SchedulerService
from .serving import Serving, Surface
from .serving_auth import DelegatedGate, Gate, OpenGate, read_client_ca
from .serving_tls import CertificateFiles, own_names, server_context
from .settings import ServiceSettings

ENDING = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where HTTP is answered. ``plain`` is without TLS and open to all, so it is for loopback alone."""

    address: str = "0.0.0.0"
    port: int = 10259
    plain: bool = False
    certificate: CertificateFiles | None = None


async def run_process(
    access: Access, configuration: Configuration, settings: ServiceSettings, listen: Listen | None, *, seed: int | None
) -> None:
    """Schedule until SIGTERM or SIGINT. ``listen`` is ``None`` for no HTTP; ``seed`` settles ties, random by default.

    Raises :class:`ClusterError` when the port is taken, ``ApiError`` when the cluster cannot be read.
    """
    _wake_patiently()
    process = Process(access, configuration, settings, seed=int.from_bytes(os.urandom(4)) if seed is None else seed)
    for number in ENDING:  # nothing is in flight while kernels load, and a compiler would be waited for
        asyncio.get_running_loop().add_signal_handler(number, os._exit, 128 + number)
    async with ApiSession(access, server=access.members or None) as api, process.serving(listen, api):
        await process.run()


def _wake_patiently() -> None:
    """Let what runs go on when something comes for us (SCHED_BATCH, sched(7)): we share the machine with API servers.

    On busy processors several answers are then there at each waking: a fifth less processor time for each pod, and more
    pods a second as the server is disturbed less. On an idle one nothing changes.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except OSError as error:  # a sandbox may forbid it
        _log.info("SCHED_BATCH was refused (%s); going on without", error)


class Process:
    """What runs, and what it can say of itself."""

    def __init__(self, access: Access, configuration: Configuration, settings: ServiceSettings, *, seed: int) -> None:
        self._access, self._configuration, self._settings, self._seed = access, configuration, settings, seed
        self._stop = asyncio.Event()
        self._service: SchedulerService | None = None
        self._api: ApiSession | None = None
        self.metrics = ServiceMetrics(
            lease=settings.lease.name if settings.lease else "", host=access.server.partition("://")[2]
        )

    def stop(self) -> None:
        _log.info("told to stop: finishing the bindings in flight")
        self._stop.set()

    async def run(self) -> None:
        """Load every kernel, then schedule until stopped. Whatever is compiled at any time is logged and counted."""
        with telling(self._compiled, kernels.ENTRIES):
            await self._warm()
            for number in ENDING:
                asyncio.get_running_loop().add_signal_handler(number, self.stop)
            if not self._stop.is_set():
                await self._schedule()

    async def _warm(self) -> None:
        began_s = time.monotonic()
        warmed = await asyncio.to_thread(kernels.warm)
        took_s = time.monotonic() - began_s
        _log.info("kernels are ready after %.2f s", took_s, extra={"compiled": len(warmed.compiled)})
        for kernel, why in warmed.unkept.items():
            _log.warning("kernel could not be kept: each start will compile it", extra={"kernel": kernel, "why": why})

    async def _schedule(self) -> None:
        engine = ClusterEngine(self._configuration.policies, seed=self._seed)
        service = self._service = SchedulerService(self._access, engine, self._settings, self.metrics)
        self.metrics.ask(service.gauges)
        await service.run(self._stop)
        _log.info("stopped")

    def _compiled(self, kernel: str, took_s: float) -> None:
        self.metrics.compile_miss(kernel)
        if self._service is not None:
            _log.warning("a decision waited for the compiler", extra={"kernel": kernel, "took_s": round(took_s, 3)})

    @contextlib.asynccontextmanager
    async def serving(self, listen: Listen | None, api: ApiSession) -> Any:
        """Answer over HTTP meanwhile."""
        self._api = api
        if listen is None:
            yield
            return
        gate, tls = await _guarded(listen, api)
        surface = Surface(ready=self.ready, alive=self.alive, metrics=self.metrics.text, explain=self.explain)
        serving = Serving(surface, gate=gate, tls=tls)
        try:
            port = await serving.start(listen.address, listen.port)
        except OSError as error:
            raise ClusterError(
                f"{listen.address}:{listen.port} cannot be served: {error.strerror or error}; "
                "set --bind-address and --secure-port"
            ) from None
        _log.info("serving", extra={"address": listen.address, "port": port, "tls": tls is not None})
        try:
            yield
        finally:
            await serving.stop()

    def ready(self) -> Mapping[str, str]:
        """The checks of ``/readyz``: a stand-by is as ready as the leader."""
        service = self._service
        return {
            "kernels": "" if service else "they are being loaded",
            "caches": "" if service and service.filled else "the cluster is being listed",
            "shutdown": "the process is ending" if self._stop.is_set() else "",
        }

    def alive(self) -> Mapping[str, str]:
        """The checks of ``/livez``: that there is an answer is the check."""
        return {"ping": ""}

    async def explain(self, namespace: str, name: str) -> bytes | None:
        """What the ring holds of the pod, and for one that waits how it would go now."""
        service, api = self._service, self._api
        if service is None or api is None or not service.filled:
            return None
        pod = await read_pod(api, namespace, name)
        past = past_of(service.journal.of(f"{namespace}/{name}"))
        if pod is None and not past:
            return None
        waits = pod is not None and not pod.spec.node_name
        lease = self._settings.lease
        return msgspec.json.encode(
            Explained(
                pod=f"{namespace}/{name}",
                scheduler=lease.identity if lease else socket.gethostname(),
                leader=service.leading,
                bound_to=(pod.spec.node_name or None) if pod else None,
                past=past,
                now=service.engine.explain(pod) if pod and waits else None,
            )
        )


async def _guarded(listen: Listen, api: ApiSession) -> tuple[Gate, ssl.SSLContext | None]:
    if listen.plain:
        return OpenGate(), None
    client_ca = await read_client_ca(api)
    return DelegatedGate(api), server_context(
        listen.certificate, client_ca_pem=client_ca, names=own_names(listen.address)
    )
