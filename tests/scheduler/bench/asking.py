"""Ask a server the requests of the table, each in a state that the one before has not touched."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec

from idcbench.kube.access import Access

from .requests_table import Asked


async def ask(access: Access, asked: Asked) -> tuple[int, str]:
    """The status and the reason; what was made on the way is deleted again, whatever it takes."""
    made: list[str] = []
    async with _session(access) as http:
        try:
            for method, path, body in asked.before:
                status, answer = await _send(http, access, method, path, body)
                assert 200 <= status < 300, (method, path, status, answer)
                _note(made, method, path, answer)
            status, answer = await _send(http, access, asked.method, asked.path, asked.body, type=asked.type)
            _note(made, asked.method, asked.path, answer if status < 300 else {})
        finally:
            for path in made:
                free = {"metadata": {"finalizers": None}}
                await _send(http, access, "PATCH", path, free, type="application/merge-patch+json")
                await _send(http, access, "DELETE", path, {"gracePeriodSeconds": 0})
    return status, answer.get("reason", "")


def _session(access: Access) -> aiohttp.ClientSession:
    tls = access.ssl_context() if access.server.startswith("https") else True
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, socket_factory=access.socket_factory()))


def _note(made: list[str], method: str, path: str, answer: dict[str, Any]) -> None:
    if method == "POST" and not path.endswith("/binding") and "metadata" in answer and "name" in answer["metadata"]:
        made.append(f"{path}/{answer['metadata']['name']}")


async def _send(
    http: aiohttp.ClientSession, access: Access, method: str, path: str, body: Any, *, type: str = "application/json"
) -> tuple[int, dict[str, Any]]:
    data = None if body is None else msgspec.json.encode(body)
    headers = {"Accept": "application/json", "Content-Type": type}
    async with http.request(method, access.server + path, data=data, headers=headers) as response:
        text = await response.read()
        decoded = msgspec.json.decode(text) if text.startswith(b"{") else {}
        return response.status, decoded
