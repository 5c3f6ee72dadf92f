"""A server that keeps ConfigMaps as the API server does, for the probe alone; a process, so that it can be frozen.

Prints its port. ``POST /break?...`` sets how it misbehaves from then on; see :func:`misbehave`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from typing import Any

from aiohttp import web

ROUTES = web.RouteTableDef()


class State:
    def __init__(self) -> None:
        self.version = 100
        self.items: dict[str, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self.watches: list[asyncio.Queue[bytes]] = []
        self.misbehaviour: dict[str, str] = {}
        self.namespaces: set[str] = set()


STATE = State()


@ROUTES.post("/break")
async def misbehave(request: web.Request) -> web.Response:
    """``answer=500`` answers writes so, ``cut=1`` closes instead of answering, ``lose=1`` acknowledges and forgets.

    ``watches=cut`` ends all watches once; ``expired=1`` answers watches with 410.
    """
    STATE.misbehaviour = dict(request.query)
    if "watches" in request.query:
        for queue in STATE.watches:
            queue.put_nowait(b"")
    return web.Response()


@ROUTES.get("/state")
async def state(_: web.Request) -> web.Response:
    return web.json_response({"namespaces": sorted(STATE.namespaces), "items": len(STATE.items)})


@ROUTES.post("/api/v1/namespaces")
async def make_namespace(request: web.Request) -> web.Response:
    STATE.namespaces.add((await request.json())["metadata"]["name"])
    return web.json_response({}, status=201)


@ROUTES.delete("/api/v1/namespaces/{name}")
async def delete_namespace(request: web.Request) -> web.Response:
    STATE.namespaces.discard(request.match_info["name"])
    return web.json_response({})


@ROUTES.post("/api/v1/namespaces/{ns}/configmaps")
async def create(request: web.Request) -> web.Response:
    item = await request.json()
    if "answer" in STATE.misbehaviour:
        return web.json_response({}, status=int(STATE.misbehaviour["answer"]))
    STATE.version += 1
    item["metadata"]["resourceVersion"] = str(STATE.version)
    if "lose" not in STATE.misbehaviour:
        STATE.items[item["metadata"]["name"]] = item
        event = {"type": "ADDED", "object": item}
        STATE.log.append(event)
        for queue in STATE.watches:
            queue.put_nowait(json.dumps(event).encode() + b"\n")
    if "cut" in STATE.misbehaviour and request.transport is not None:
        request.transport.abort()
    return web.json_response(item, status=201)


@ROUTES.get("/api/v1/namespaces/{ns}/configmaps/{name}")
async def read(request: web.Request) -> web.Response:
    return web.json_response(STATE.items[request.match_info["name"]])


@ROUTES.get("/api/v1/namespaces/{ns}/configmaps")
async def list_or_watch(request: web.Request) -> web.StreamResponse:
    if "watch" in request.query:
        return await watch(request)
    names = sorted(STATE.items)
    begin = int(request.query.get("continue", 0))
    end = begin + int(request.query.get("limit", len(names)))
    metadata = {"resourceVersion": str(STATE.version), "continue": str(end) if end < len(names) else ""}
    return web.json_response({"metadata": metadata, "items": [STATE.items[name] for name in names[begin:end]]})


async def watch(request: web.Request) -> web.StreamResponse:
    if STATE.misbehaviour.pop("expired", None):
        return web.json_response({"kind": "Status", "code": 410}, status=410)
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    since = int(request.query["resourceVersion"])
    for event in STATE.log:
        if int(event["object"]["metadata"]["resourceVersion"]) > since:
            await response.write(json.dumps(event).encode() + b"\n")
    STATE.watches.append(queue)
    try:
        while piece := await queue.get():
            await response.write(piece)
    except ConnectionError:
        pass  # the watcher left
    finally:
        STATE.watches.remove(queue)
    return response


async def main(certificate: str | None) -> None:
    app = web.Application()
    app.add_routes(ROUTES)
    runner = web.AppRunner(app)
    await runner.setup()
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until the test ends


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
