"""A fake API server: real enough for list, watch and CRUD, and it fails as told.

It runs in a thread of its own, so that synchronous and asynchronous tests use it alike:

    with FakeApi(members=2) as api:
        api.put("/api/v1/namespaces/default/pods/a", {"spec": {}})
        api.next(Cut(after=1), watch=True)     # the next watch is cut after its first event
        ApiSession(api.access, server=api.urls)
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web
from fake_store import Event, Manifest, Place, Store, merged

from idcbench.kube.access import Access

T = TypeVar("T")


@dataclass(frozen=True)
class Refuse:
    """Answer with this status instead, before anything was done."""

    status: int
    reason: str = "InternalError"
    message: str = "as told"
    retry_after: str = ""
    body: bytes | None = None


@dataclass(frozen=True)
class Hang:
    """Take the request and never answer."""


@dataclass(frozen=True)
class Drop:
    """Close the connection without an answer."""


@dataclass(frozen=True)
class Break:
    """Close the connection half-way through the answer."""


@dataclass(frozen=True)
class End:
    """End the watch as at its time limit, after so many events."""

    after: int = 0


@dataclass(frozen=True)
class Cut:
    """Cut the watch's connection after so many events."""

    after: int = 0


@dataclass(frozen=True)
class Stall:
    """Send nothing more after so many events, and keep the connection."""

    after: int = 0


@dataclass(frozen=True)
class HalfLine:
    """After so many events send half of the next, and cut the connection."""

    after: int = 0


@dataclass(frozen=True)
class Say:
    """After so many events send this line, then go on."""

    line: bytes
    after: int = 0


@dataclass(frozen=True)
class Repeat:
    """Send all events there are, whatever version the watch asked for."""


Fault = Refuse | Hang | Drop | Break | End | Cut | Stall | HalfLine | Say | Repeat

GONE = b'{"type":"ERROR","object":{"kind":"Status","metadata":{},"code":410,"reason":"Expired","message":"too old"}}\n'


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    member: int
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def watch(self) -> bool:
        return self.query.get("watch") in ("1", "true")


@dataclass
class Kind:
    kind: str
    plural: str
    api_version: str
    namespaced: bool = True


KINDS = [
    Kind("Pod", "pods", "v1"),
    Kind("Node", "nodes", "v1", namespaced=False),
    Kind("Namespace", "namespaces", "v1", namespaced=False),
    Kind("ConfigMap", "configmaps", "v1"),
    Kind("ServiceAccount", "serviceaccounts", "v1"),
    Kind("Deployment", "deployments", "apps/v1"),
    Kind("Lease", "leases", "coordination.k8s.io/v1"),
    Kind("Event", "events", "events.k8s.io/v1"),
    Kind("CertificateSigningRequest", "certificatesigningrequests", "certificates.k8s.io/v1", namespaced=False),
]


@dataclass
class FakeApi:
    """``members`` servers on loopback ports of their own, with one store behind them; ``tls`` a server context."""

    members: int = 1
    folder: Path = Path()
    tls: Any = None
    store: Store = field(default_factory=Store)
    kinds: list[Kind] = field(default_factory=lambda: list(KINDS))
    seen: list[Seen] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def __enter__(self) -> FakeApi:
        self._faults: list[tuple[Callable[[Seen], bool], Fault]] = []
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Condition()
        self._runners: dict[int, web.AppRunner] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        for member in range(self.members):
            self.urls.append("")
            self.start(member)
        return self

    def __exit__(self, *_: object) -> None:
        for member in list(self._runners):
            self.stop(member)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return self.urls[0]

    @property
    def access(self) -> Access:
        """Access without credentials; its kubeconfig is written into ``folder``."""
        path = self.folder / "kubeconfig"
        cluster = {"name": "fake", "cluster": {"server": self.url}}
        context = {"name": "fake", "context": {"cluster": "fake", "user": ""}}
        text = json.dumps({"clusters": [cluster], "contexts": [context], "users": [], "current-context": "fake"})
        path.write_text(text)
        return Access(server=self.url, kubeconfig=path, context="fake", members=tuple(self.urls))

    def next(self, fault: Fault, *, times: int = 1, method: str = "", path: str = "", watch: bool | None = None,
             member: int | None = None) -> None:  # fmt: skip
        """Let the next ``times`` requests that fit fail so. Faults told earlier are used up first."""

        def fits(seen: Seen) -> bool:
            return (
                method in ("", seen.method)
                and seen.path.startswith(path)
                and watch in (None, seen.watch)
                and member in (None, seen.member)
            )

        self._in_loop(lambda: self._faults.extend([(fits, fault)] * times))

    def put(self, path: str, manifest: Manifest) -> Manifest:
        """Create or change an object; watches hear of it."""
        return self._change(lambda: self.store.put(Place.of(path), manifest))

    def remove(self, path: str) -> Manifest:
        return self._change(lambda: self.store.remove(Place.of(path)))

    def compact(self) -> None:
        self._change(self.store.compact)

    def bookmark(self) -> None:
        """Let every watch that takes bookmarks have one at the present version, which moves on by one."""

        def mark() -> None:
            self.store.version += 1
            self.store.events.append(Event(self.store.version, "BOOKMARK", Place("", ""), {}))

        self._change(mark)

    def stop(self, member: int = 0) -> None:
        """Close a member's port and connections, as when its process is killed."""
        self._await(self._stop(member))

    def start(self, member: int = 0) -> None:
        self._await(self._start(member))

    def count(self, *, watch: bool | None = None, method: str = "", member: int | None = None) -> int:
        return sum(
            watch in (None, seen.watch) and method in ("", seen.method) and member in (None, seen.member)
            for seen in list(self.seen)
        )

    def _in_loop(self, act: Callable[[], T]) -> T:
        async def run() -> T:
            return act()

        return self._await(run())

    def _change(self, act: Callable[[], T]) -> T:
        async def run() -> T:
            result = act()
            await self._notify()
            return result

        return self._await(run())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _stop(self, member: int) -> None:
        runner = self._runners.pop(member)
        for connection in runner.server.connections if runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()

    async def _start(self, member: int) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, member)

        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.01, access_log=None, handler_cancellation=True)
        await runner.setup()
        port = int(self.urls[member].rsplit(":", 1)[1]) if self.urls[member] else 0
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=self.tls, reuse_address=True)
        await site.start()
        self.urls[member] = f"{'https' if self.tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        self._runners[member] = runner

    async def _answer(self, request: web.Request, member: int) -> web.StreamResponse:
        seen = Seen(
            member, request.method, request.path, dict(request.query), dict(request.headers), await request.read()
        )
        self.seen.append(seen)
        match fault := self._fault(seen):
            case Refuse(status, reason, message, retry_after, body):
                headers = {"Retry-After": retry_after} if retry_after else {}
                if body is not None:
                    return web.Response(status=status, body=body, headers=headers)
                return _refusal(status, reason, message, headers)
            case Hang():
                await asyncio.Event().wait()
            case Drop():
                _cut(request)
                return web.Response()
            case Break():
                response = web.StreamResponse(headers={"Content-Length": "1000"})
                await response.prepare(request)
                await response.write(b'{"kind":')
                _cut(request)
                return response
        if seen.watch:
            return await self._watch(request, seen, fault)
        return await self._serve(seen)

    def _fault(self, seen: Seen) -> Fault | None:
        for entry in self._faults:
            if entry[0](seen):
                self._faults.remove(entry)
                return entry[1]
        return None

    async def _serve(self, seen: Seen) -> web.Response:
        if seen.path in ("/api", "/apis"):
            return web.json_response(_discovery(self.kinds, core=seen.path == "/api"))
        place = Place.of(seen.path)
        kind = next((k for k in self.kinds if (k.plural, k.api_version) == (place.plural, place.api_version)), None)
        if kind is None:
            return _refusal(404, "NotFound", "the server could not find the requested resource")
        if seen.method == "GET" and not place.name:
            return self._list(seen, place, kind)
        return await self._one(seen, place, kind)

    async def _one(self, seen: Seen, place: Place, kind: Kind) -> web.Response:
        told = json.loads(seen.body) if seen.body else {}
        if place.subresource in ("eviction", "binding", "token"):
            return web.json_response(told | {"status": {"token": "t0ken"}}, status=201)
        whole = Place(place.api_version, place.plural, place.namespace, place.name or told["metadata"]["name"])
        old = self.store.objects.get(whole)
        named = {"apiVersion": kind.api_version, "kind": kind.kind}
        applied = seen.headers.get("Content-Type") == "application/apply-patch+yaml"
        if seen.method == "POST" and old is not None:
            return _refusal(409, "AlreadyExists", f'{kind.plural} "{whole.name}" already exists')
        if seen.method != "POST" and old is None and not applied:
            return _refusal(404, "NotFound", f'{kind.plural} "{whole.name}" not found')
        match seen.method:
            case "POST":
                new, status = self.store.put(whole, named | told), 201
            case "PUT":
                asked = told["metadata"].get("resourceVersion")
                if old is not None and asked not in (None, old["metadata"]["resourceVersion"]):
                    return _refusal(409, "Conflict", "the object has been modified")
                new, status = self.store.put(whole, named | told), 200
            case "PATCH":
                new, status = self.store.put(whole, merged(old or named, told)), 200 if old else 201
            case "DELETE" if old is not None and old["metadata"].get("finalizers"):
                marked = merged(old, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
                new, status = self.store.put(whole, marked), 200
            case "DELETE":
                new, status = self.store.remove(whole), 200
            case _:
                assert old is not None
                new, status = old, 200
        await self._notify()
        return web.json_response(new, status=status)

    def _list(self, seen: Seen, place: Place, kind: Kind) -> web.Response:
        version, start = self.store.version, 0
        if "continue" in seen.query:
            version, start = map(int, seen.query["continue"].split("-"))
            if version < self.store.compacted:
                return _refusal(410, "Expired", "The provided continue parameter is too old")
        found = [each for where, each in sorted(self.store.objects.items(), key=str) if place.holds(where)]
        limit = int(seen.query.get("limit") or 0) or len(found)
        meta = {"resourceVersion": str(version)}
        if start + limit < len(found):
            meta["continue"] = f"{version}-{start + limit}"
        items = found[start : start + limit] or None
        return web.json_response({"kind": f"{kind.kind}List", "metadata": meta, "items": items})

    async def _watch(self, request: web.Request, seen: Seen, fault: Fault | None) -> web.StreamResponse:
        version = 0 if isinstance(fault, Repeat) else int(seen.query.get("resourceVersion") or 0)
        if version and version < self.store.compacted:
            return _refusal(410, "Expired", f"too old resource version: {version} ({self.store.compacted})")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        place = Place.of(seen.path)
        for sent in itertools.count():
            match fault:
                case End(after) if sent == after:
                    return response
                case Cut(after) if sent == after:
                    _cut(request)
                    return response
                case Stall(after) if sent == after:
                    await asyncio.Event().wait()
                case Say(line, after) if sent == after:
                    await response.write(line)
            event = await self._following(version, place, seen)
            line = json.dumps(_wire(event, self.kinds, place)).encode() + b"\n"
            if isinstance(fault, HalfLine) and sent == fault.after:
                await response.write(line[: len(line) // 2])
                _cut(request)
                return response
            await response.write(line)
            version = event.version
        raise AssertionError

    async def _following(self, version: int, place: Place, seen: Seen) -> Event:
        """The first event after ``version`` that this watch is to see."""
        bookmarks = seen.query.get("allowWatchBookmarks") in ("1", "true")

        def first() -> Event | None:
            for event in self.store.events:
                told = bookmarks if event.type == "BOOKMARK" else place.holds(event.place)
                if event.version > version and told:
                    return event
            return None

        async with self._changed:
            await self._changed.wait_for(lambda: first() is not None)
            event = first()
            assert event is not None
            return event


def _wire(event: Event, kinds: list[Kind], place: Place) -> Manifest:
    if event.type != "BOOKMARK":
        return {"type": event.type, "object": event.object}
    kind = next(k.kind for k in kinds if k.plural == place.plural)
    return {"type": "BOOKMARK", "object": {"kind": kind, "metadata": {"resourceVersion": str(event.version)}}}


def _discovery(kinds: list[Kind], *, core: bool) -> Manifest:
    groups: dict[str, list[Kind]] = {}
    for kind in kinds:
        if ("/" in kind.api_version) != core:
            groups.setdefault(kind.api_version, []).append(kind)

    def entry(kind: Kind) -> Manifest:
        scope = "Namespaced" if kind.namespaced else "Cluster"
        return {"resource": kind.plural, "scope": scope, "responseKind": {"kind": kind.kind}}

    def group(api_version: str, entries: list[Kind]) -> Manifest:
        *name, version = api_version.split("/")
        meta = {"name": name[0]} if name else {}
        return {"metadata": meta, "versions": [{"version": version, "resources": [entry(k) for k in entries]}]}

    items = [group(api_version, entries) for api_version, entries in groups.items()]
    return {"kind": "APIGroupDiscoveryList", "metadata": {}, "items": items}


def _refusal(status: int, reason: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": status}
    return web.json_response(body, status=status, headers=headers)


def _cut(request: web.Request) -> None:
    transport = request.transport
    assert transport is not None
    transport.abort()
