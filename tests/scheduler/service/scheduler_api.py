"""The fake API server with what a scheduler needs: bindings, status patches, and replies that get lost."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from fake_api import FakeApi, Kind, Seen, _refusal
from fake_store import Manifest, Place, merged

from idcbench.scheduler.service.resources import SOURCES

PODS = "/api/v1/namespaces/default/pods"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler"


def kinds() -> list[Kind]:
    found = [Kind("Lease", "leases", "coordination.k8s.io/v1"), Kind("Event", "events", "events.k8s.io/v1")]
    for source in SOURCES:
        place = Place.of(source.path)
        if source.needed:
            found.append(Kind(source.kind.__name__, place.plural, place.api_version))
    return found


@dataclass
class SchedulerApi(FakeApi):
    """``lose`` so many replies to bindings after they were done."""

    kinds: list[Kind] = field(default_factory=kinds)
    lose: int = 0

    def node(self, name: str, cpu: str = "4", **labels: str) -> None:
        manifest = {"metadata": {"labels": labels}, "status": {"allocatable": {"cpu": cpu, "pods": "110"}}}
        self.put(f"/api/v1/nodes/{name}", manifest)

    def pod(self, name: str, cpu: str = "100m", *, labels: dict[str, str] | None = None, **spec: Any) -> Manifest:
        container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
        wanted = {"schedulerName": "default-scheduler", "containers": [container]} | spec
        manifest = {"metadata": {"labels": labels or {}, "generation": 1}, "spec": wanted}
        return self.put(f"{PODS}/{name}", manifest | {"status": {"phase": "Pending"}})

    def pods(self) -> dict[str, Manifest]:
        return {place.name: obj for place, obj in list(self.store.objects.items()) if place.plural == "pods"}

    def nodes_of(self, *names: str) -> list[str]:
        pods = self.pods()
        return [pods[name]["spec"].get("nodeName", "") for name in names]

    def events(self, reason: str = "") -> list[Manifest]:
        found = [obj for place, obj in list(self.store.objects.items()) if place.plural == "events"]
        return [obj for obj in found if reason in ("", obj["reason"])]

    def bindings(self) -> list[Manifest]:
        """The bindings that were sent, whatever was answered."""
        return [json.loads(seen.body) for seen in list(self.seen) if seen.path.endswith("/binding")]

    def patches(self, name: str) -> list[Manifest]:
        return [
            json.loads(seen.body) for seen in list(self.seen)
            if seen.method == "PATCH" and seen.path == f"{PODS}/{name}/status"
        ]  # fmt: skip

    def lease(self) -> Manifest:
        place = Place.of(LEASE)
        return self.store.objects.get(place, {}).get("spec", {})

    async def until(self, holds: Callable[[], object], *, within_s: float = 10.0) -> None:
        """Wait until something holds; fails when it does not in time."""
        ends_s = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < ends_s, f"not within {within_s} s: {str(self.pods())[:500]}"
            await asyncio.sleep(0.005)

    async def _answer(self, request: web.Request, member: int) -> web.StreamResponse:
        response = await super()._answer(request, member)
        if self.lose and request.path.endswith("/binding") and response.status == 201:
            self.lose -= 1
            assert request.transport is not None
            request.transport.abort()
        return response

    async def _one(self, seen: Seen, place: Place, kind: Kind) -> web.Response:
        if place.subresource == "binding":
            return await self._bind(json.loads(seen.body), place)
        if place.subresource == "status" and seen.method == "PATCH":
            return await self._patch_status(json.loads(seen.body), place)
        return await super()._one(seen, place, kind)

    async def _bind(self, told: Manifest, place: Place) -> web.Response:
        whole = Place(place.api_version, place.plural, place.namespace, place.name)
        pod = self.store.objects.get(whole)
        if pod is None:
            return _refusal(404, "NotFound", f'pods "{place.name}" not found')
        if told["metadata"]["uid"] != pod["metadata"]["uid"]:
            return _refusal(409, "Conflict", "the UID in the precondition does not match")
        if node := pod["spec"].get("nodeName"):
            return _refusal(409, "Conflict", f"pod {place.name} is already assigned to node {node}")
        self.store.put(whole, merged(pod, {"spec": {"nodeName": told["target"]["name"]}}))
        await self._notify()
        return web.json_response({"kind": "Status", "status": "Success", "code": 201}, status=201)

    async def _patch_status(self, told: Manifest, place: Place) -> web.Response:
        """Conditions are merged by their type, as a strategic merge does."""
        whole = Place(place.api_version, place.plural, place.namespace, place.name)
        pod = self.store.objects.get(whole)
        if pod is None:
            return _refusal(404, "NotFound", f'pods "{place.name}" not found')
        fresh = told["status"].pop("conditions", [])
        kept = [
            each for each in pod["status"].get("conditions", []) if each["type"] not in {one["type"] for one in fresh}
        ]
        new = merged(pod, {"status": told["status"] | {"conditions": kept + fresh}})
        stored = self.store.put(whole, new)
        await self._notify()
        return web.json_response(stored)
