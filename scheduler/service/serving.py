"""What the process answers over HTTP: health, metrics, and why a pod is where it is.

Paths and forms are those of kube-scheduler: ``/healthz``, ``/livez`` and ``/readyz`` are open to all (``?verbose``
and ``/readyz/CHECK`` too), ``/metrics``, ``/metrics/slis`` and ``/debug/explain/NAMESPACE/POD`` are for whom the
API server lets.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from idcbench.kube.apierror import ApiError

from . import metrics_families as families
from .metrics import CONTENT_TYPE
from .metrics_series import Counters, filled
from .serving_auth import Gate, OpenGate

Checks = Callable[[], Mapping[str, str]]
"""Each check by name: empty when it holds, else why it does not."""
HEALTH = ("healthz", "livez", "readyz")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What there is to answer with. ``explain`` takes namespace and name and gives JSON, ``None`` for unknown ones."""

    ready: Checks
    alive: Checks
    metrics: Callable[[], bytes]
    explain: Callable[[str, str], Awaitable[bytes | None]]


@dataclass(slots=True, eq=False)
class HealthRecord(Collector):
    """What checks were made and how they ended, for ``/metrics/slis``."""

    made: Counters = field(default_factory=lambda: Counters(families.HEALTHCHECKS))
    last: dict[tuple[str, str], float] = field(default_factory=dict)

    def note(self, kind: str, results: Mapping[str, str]) -> None:
        for name, why_not in results.items():
            self.made[name, kind, "error" if why_not else "success"].add()
            self.last[name, kind] = 0.0 if why_not else 1.0

    def collect(self) -> list[Metric]:
        return [filled(families.HEALTHCHECK, list(self.last.items())), self.made.collect()]


class Serving:
    """Answers from :meth:`start` to :meth:`stop`."""

    def __init__(self, surface: Surface, *, gate: Gate | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._surface = surface
        self._gate: Gate = gate or OpenGate()
        self._tls = tls
        self._record = HealthRecord()
        self._slis = CollectorRegistry()
        self._slis.register(self._record)
        self._runner: web.AppRunner | None = None

    async def start(self, address: str, port: int) -> int:
        """Begin to answer there; gives the port, which is another one for 0. Raises ``OSError``."""
        runner = web.AppRunner(self.application(), access_log=None, handle_signals=False)
        await runner.setup()
        site = web.TCPSite(runner, address, port, ssl_context=self._tls)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        return int(runner.addresses[0][1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        for name in HEALTH:
            application.router.add_get(f"/{name}", self._health)
            application.router.add_get(f"/{name}/{{check}}", self._health)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/metrics/slis", self._show_slis)
        application.router.add_get("/debug/explain/{namespace}/{pod}", self._explain)
        return application

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            refused = None if request.path.split("/")[1] in HEALTH else await self._refusal(request)
            response = refused if refused is not None else await handler(request)
        except ApiError as error:
            _log.warning("request for %s refused: nobody could say who asks: %s", request.path, error)
            response = refusal(500, "InternalError", "the API server could not be asked who you are")
        except web.HTTPException as error:
            response = refusal(error.status, error.reason.replace(" ", ""), f"{request.method} {request.path}")
        response.headers["Cache-Control"] = "no-cache, private"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    async def _refusal(self, request: web.Request) -> web.Response | None:
        """Why this request is not answered, if it is not."""
        tls = request.transport.get_extra_info("ssl_object") if request.transport else None
        user = await self._gate.user(request.headers.get("Authorization", ""), tls.getpeercert() if tls else None)
        if user is None:
            return refusal(401, "Unauthorized", "Unauthorized")
        verb = request.method.lower()
        if await self._gate.allows(user, request.path, verb):
            return None
        return refusal(403, "Forbidden", f'forbidden: User "{user.name}" cannot {verb} path "{request.path}"')

    async def _health(self, request: web.Request) -> web.Response:
        kind = request.path.split("/")[1]
        results = self._surface.ready() if kind == "readyz" else self._surface.alive()
        self._record.note(kind, results)
        if (wanted := request.match_info.get("check")) is not None:
            if wanted not in results:
                raise web.HTTPNotFound
            results = {wanted: results[wanted]}
        failed = any(results.values())
        if not failed and "verbose" not in request.query:
            return web.Response(text="ok")
        lines = [f"[-]{name} failed: {why}" if why else f"[+]{name} ok" for name, why in results.items()]
        lines.append(f"{kind} check {'failed' if failed else 'passed'}\n")
        return web.Response(text="\n".join(lines), status=500 if failed else 200)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._surface.metrics(), headers={"Content-Type": CONTENT_TYPE})

    async def _show_slis(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._slis), headers={"Content-Type": CONTENT_TYPE})

    async def _explain(self, request: web.Request) -> web.Response:
        namespace, pod = request.match_info["namespace"], request.match_info["pod"]
        answer = await self._surface.explain(namespace, pod)
        if answer is None:
            return refusal(
                404, "NotFound", f"no decision about pod {namespace}/{pod} is kept here, and it does not wait"
            )
        return web.Response(body=answer, content_type="application/json")


def refusal(code: int, reason: str, message: str) -> web.Response:
    """A refusal as the Kubernetes API words it."""
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
              "message": message, "reason": reason, "details": {}, "code": code}  # fmt: skip
    return web.json_response(status, status=code)
