"""Shows a run while it goes on: a server that only reads, and knows three addresses."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import signal
from collections.abc import Callable
from contextlib import suppress

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from ..errors import RunError, UsageError
from ..reports.html import render_html
from ..reports.live import State, fingerprint, render_live, state_of
from ..reports.model import report_of
from ..runs.directory import Run

ADDRESS = "127.0.0.1"
PORT = 8790
LOOK_S = 1.0
"""So often it is looked whether the run directory changed, and only while somebody watches."""
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Showing:
    """The answers. Nothing of a request but its path is looked at, and that only to tell the three apart."""

    def __init__(self, run: Run, *, look_s: float = LOOK_S) -> None:
        self.closing = asyncio.Event()
        self._run = run
        self._look_s = look_s
        self._seen: object = None
        self._state: State = {}
        self._one_at_a_time = asyncio.Lock()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/events", self._events)
        app.router.add_get("/report", self._report)
        return app

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text=render_live(self._run), content_type="text/html", headers=_HEADERS)

    async def _report(self, _: web.Request) -> web.Response:
        try:
            page = await asyncio.to_thread(lambda: render_html(report_of(self._run)))
        except RunError as error:
            return web.Response(status=404, text=str(error), headers=_HEADERS)
        return web.Response(text=page, content_type="text/html", headers=_HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=_HEADERS | {"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionResetError):  # the reader went away
            await self._tell(response)
        return response

    async def _tell(self, response: web.StreamResponse) -> None:
        told: State | None = None
        while not self.closing.is_set():
            try:
                state = await self._now()
            except RunError as error:
                await response.write(_event("gone", {"why": self._why(error)}))
                return
            await response.write(_event("state", state) if state is not told else b":\n\n")
            told = state
            if state["ended"]:
                await response.write(_event("ended", {}))
                return
            await self._wait()

    async def _now(self) -> State:
        """The state, read anew only when a file changed; one reading for all who watch."""
        async with self._one_at_a_time:
            seen = await asyncio.to_thread(fingerprint, self._run)
            if seen != self._seen or not self._state:
                self._state = await asyncio.to_thread(state_of, self._run)
                self._seen = seen
            return self._state

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), self._look_s)

    def _why(self, error: RunError) -> str:
        return str(error) if self._run.path.exists() else f"{self._run.path.name}: the run directory was removed"


def _event(name: str, data: State) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))


async def serve(run: Run, *, address: str, port: int, say: Callable[[str], None], look_s: float = LOOK_S) -> None:
    """Show ``run`` until SIGINT or SIGTERM, then cut what is open; ``say`` is told where, once it can be reached.

    ``port`` 0 takes a free one. Raises :class:`UsageError` when it cannot listen there.
    """
    showing = Showing(run, look_s=look_s)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, showing.closing.set)
    app = showing.app()
    if is_loopback(address):
        app.middlewares.append(_by_own_name)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await _listen(runner, address, port)
        host, taken = runner.addresses[0][:2]
        say(f"http://{f'[{host}]' if ':' in host else host}:{taken}/")
        await showing.closing.wait()
    finally:
        await runner.cleanup()


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches ``address``."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


@web.middleware
async def _by_own_name(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse whoever asks by another name: a page from elsewhere may let its own name lead to this machine."""
    if not is_loopback(re.sub(r":[0-9]+$", "", request.host).strip("[]")):
        raise web.HTTPForbidden(text="this server is asked by the address that it printed, or as localhost")
    return await handler(request)


async def _listen(runner: web.AppRunner, address: str, port: int) -> None:
    try:
        await web.TCPSite(runner, address, port).start()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"{address} port {port}: cannot listen there: {reason}; choose another: --port N (0: a free one) or --bind"
        ) from error
