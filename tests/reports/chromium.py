"""A headless Chromium, driven by the DevTools protocol: what a page asks for, complains about and looks like."""

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
)  # fmt: skip

OUTSIDE = """[...document.querySelectorAll('body *')].filter(it => it.getBoundingClientRect().right > innerWidth + 1
  && !it.closest('.scroll, pre')).map(it => it.outerHTML.slice(0, 120))"""
OPEN_ALL = "document.querySelectorAll('details').forEach(it => { it.open = true })"
SMALLEST_TEXT_PX = """Math.min(...[...document.querySelectorAll('svg text')]
  .filter(it => it.getBoundingClientRect().height)
  .map(it => parseFloat(getComputedStyle(it).fontSize) * it.getCTM().a))"""


def find_chromium() -> str | None:
    """The browser's program, or ``None``."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One tab. ``requests`` and ``complaints`` gather since it was opened."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._loaded = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.requests: list[str] = []
        self.complaints: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                self._waiting.pop(said["id"]).set_result(said)
            elif said.get("method") == "Network.requestWillBeSent":
                self.requests.append(said["params"]["request"]["url"])
            elif said.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(str(said["params"]))
            elif said.get("method") == "Page.loadEventFired":
                self._loaded.set()

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        said = await asyncio.wait_for(answer, 30)
        assert "error" not in said, said
        return said["result"]

    async def open(self, file: Path, *, width: int, dark: bool = False) -> None:
        """Load a file at a width, in a colour scheme, and wait until it is there."""
        for domain in ("Network", "Runtime", "Log", "Page"):
            await self.call(f"{domain}.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 700
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        self._loaded.clear()
        await self.call("Page.navigate", url=file.resolve().as_uri())
        await asyncio.wait_for(self._loaded.wait(), 30)

    async def value(self, expression: str) -> Any:
        """What an expression comes to, or the promise that it is."""
        said = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return said["result"].get("value")

    async def picture(self, file: Path, *, top: int = 0, height: int | None = None) -> None:
        """Write a PNG of the page from ``top``, whole when no height is given."""
        size = await self.value("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": top, "width": size[0], "height": height or size[1] - top, "scale": 1}
        said = await self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(said["data"]))


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Page]:
    """A Chromium of its own with one empty tab; it ends with the block."""
    program = find_chromium()
    assert program, f"none of {NAMES} is installed"
    process = await asyncio.create_subprocess_exec(
        program, *FLAGS, f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port = await asyncio.wait_for(_port(profile / "DevToolsActivePort"), 60)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = await answer.json()
            url = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
            async with session.ws_connect(url, max_msg_size=0) as socket:
                page = Page(socket)
                listening = asyncio.create_task(page.listen())
                yield page
                listening.cancel()
    finally:
        process.terminate()
        await process.wait()


async def _port(file: Path) -> int:
    while not (file.exists() and (lines := file.read_text().split())):
        await asyncio.sleep(0.02)
    return int(lines[0])


async def assert_fits(page: Page, file: Path) -> None:
    """On a desk and in a hand, by day and by night: nothing sticks out, nothing is too small, nothing is asked for."""
    for width, dark in ((1280, False), (400, False), (1280, True), (400, True)):
        await page.open(file, width=width, dark=dark)
        await page.value(OPEN_ALL)
        assert await page.value("document.documentElement.scrollWidth") == width
        assert await page.value(OUTSIDE) == []
        assert await page.value(SMALLEST_TEXT_PX) >= 10
        ground = await page.value("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(19, 22, 25)" if dark else "rgb(255, 255, 255)")
    assert set(page.requests) == {file.as_uri()}
    assert page.complaints == []
