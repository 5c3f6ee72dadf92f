"""Before a pod with claims may be bound: volumes are reserved, provisioners told the node, and Bound awaited."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from msgspec.json import encode

from ..decisions import ClaimStep, Placed
from ..objects import PersistentVolume, PersistentVolumeClaim
from .writer import Writer

SELECTED_NODE = "volume.kubernetes.io/selected-node"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
MERGE = "application/merge-patch+json"

_log = logging.getLogger(__name__)


class ClaimError(Exception):
    """The claims of a pod could not be bound; the text says why."""


class Claims:
    """Knows claims and volumes as the feed tells of them, and takes the steps that the engine asks for."""

    def __init__(self, writer: Writer, *, limit_s: float) -> None:
        self._writer = writer
        self._limit_s = limit_s
        self._claims: dict[tuple[str, str], PersistentVolumeClaim] = {}
        self._volumes: dict[str, PersistentVolume] = {}
        self._changed = asyncio.Condition()
        self._notifying: set[asyncio.Task[None]] = set()

    def set_claim(self, claim: PersistentVolumeClaim, *, gone: bool) -> None:
        key = claim.metadata.namespace, claim.metadata.name
        if gone:
            self._claims.pop(key, None)
        else:
            self._claims[key] = claim
        task = asyncio.create_task(self._notify())
        self._notifying.add(task)
        task.add_done_callback(self._notifying.discard)

    def set_volume(self, volume: PersistentVolume, *, gone: bool) -> None:
        if gone:
            self._volumes.pop(volume.metadata.name, None)
        else:
            self._volumes[volume.metadata.name] = volume

    async def take(self, placed: Placed) -> None:
        """Take the steps and wait until every claim is Bound. Raises ``ClaimError``."""
        steps = placed.before
        for step in steps:
            await self._write(step, placed.node)
        try:
            async with asyncio.timeout(self._limit_s), self._changed:
                await self._changed.wait_for(lambda: self._all_bound(steps, placed.node))
        except TimeoutError:
            raise ClaimError(f"claims not bound within {self._limit_s:g} s: {self._unbound(steps)}") from None

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _write(self, step: ClaimStep, node: str) -> None:
        claim = self._claims.get((step.namespace, step.claim))
        if claim is None:
            raise ClaimError(f"claim {step.namespace}/{step.claim} is gone")
        if _is_bound(claim):
            return
        path, patch = (
            self._node_chosen(claim, node) if step.volume is None else self._volume_reserved(claim, step.volume)
        )
        answer = await self._writer.write("PATCH", path, encode(patch), content_type=MERGE)
        if not answer.ok:
            raise ClaimError(f"{path}: {answer.status or 'no answer'} {answer.body[:200].decode(errors='replace')}")

    def _node_chosen(self, claim: PersistentVolumeClaim, node: str) -> tuple[str, object]:
        meta = claim.metadata
        path = f"/api/v1/namespaces/{meta.namespace}/persistentvolumeclaims/{meta.name}"
        about = {"resourceVersion": meta.resource_version, "annotations": {SELECTED_NODE: node}}
        return path, {"metadata": about}

    def _volume_reserved(self, claim: PersistentVolumeClaim, name: str) -> tuple[str, object]:
        """As the volume controller would reserve it. The version lets this fail when somebody else was quicker."""
        volume = self._volumes.get(name)
        if volume is None:
            raise ClaimError(f"volume {name} is gone")
        meta = claim.metadata
        reference = {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta.namespace, "name": meta.name,
            "uid": meta.uid, "resourceVersion": meta.resource_version,
        }  # fmt: skip
        about = {"resourceVersion": volume.metadata.resource_version, "annotations": {BOUND_BY_CONTROLLER: "yes"}}
        return f"/api/v1/persistentvolumes/{name}", {"metadata": about, "spec": {"claimRef": reference}}

    def _all_bound(self, steps: Sequence[ClaimStep], node: str) -> bool:
        """Raises ``ClaimError`` when that cannot come true any more."""
        for step in steps:
            claim = self._claims.get((step.namespace, step.claim))
            if claim is None:
                raise ClaimError(f"claim {step.namespace}/{step.claim} was deleted")
            chosen = (claim.metadata.annotations or {}).get(SELECTED_NODE)
            if step.volume is None and not _is_bound(claim) and chosen not in (None, node):
                raise ClaimError(f"claim {step.namespace}/{step.claim} was given node {chosen}, not {node}")
        return not self._unbound(steps)

    def _unbound(self, steps: Sequence[ClaimStep]) -> str:
        waiting = [step for step in steps if not _is_bound(self._claims.get((step.namespace, step.claim)))]
        return ", ".join(f"{step.namespace}/{step.claim}" for step in waiting)


def _is_bound(claim: PersistentVolumeClaim | None) -> bool:
    return claim is not None and bool(claim.spec.volume_name) and claim.status.phase == "Bound"
