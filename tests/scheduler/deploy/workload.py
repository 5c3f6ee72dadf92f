"""Pods that take a scheduler through all that it may do: bindings, preemption, volumes, gangs, refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession

Json = dict[str, Any]
PODS = "/api/v1/namespaces/default/pods"
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
GROUPS = "/apis/scheduling.x-k8s.io/v1alpha1/namespaces/default/podgroups"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SELECTED_NODE = "volume.kubernetes.io/selected-node"


class Workload:
    """On the cluster that ``api`` speaks to, for the scheduler of that name."""

    def __init__(self, api: ApiSession, scheduler: str) -> None:
        self._api, self._scheduler = api, scheduler

    async def prepare(self) -> None:
        """What has to be there before the scheduler starts: the definition of scheduler-plugins' PodGroups."""
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        served = {"name": "v1alpha1", "served": True, "storage": True, "schema": schema}
        names = {"kind": "PodGroup", "plural": "podgroups", "singular": "podgroup"}
        spec = {"group": "scheduling.x-k8s.io", "scope": "Namespaced", "versions": [served], "names": names}
        await self._api.post(DEFINITIONS, _object("podgroups.scheduling.x-k8s.io", spec=spec))
        await self.until(lambda: self._there(GROUPS))
        await self.until(lambda: self._there("/api/v1/namespaces/default/serviceaccounts/default"))

    async def run(self) -> None:
        """All of it; each part waits until what it asked for is so."""
        await self.plain()
        await self.refused()
        await self.preempting()
        await self.reserved_volume()
        await self.provisioned_volume()
        await self.gang()

    async def plain(self) -> None:
        for number in range(5):
            await self.pod(f"plain-{number}")
        for number in range(5):
            await self.bound(f"plain-{number}")
        await self.until(lambda: self.told("Scheduled", 5))

    async def refused(self) -> None:
        """Whenever a label comes it may help, but does not. Once nothing else about the pod changes any more, the event
        is the same again, and counted on instead of written anew."""
        await self.pod("huge", cpu="4000", nodeSelector={"room": "huge"})
        known = 0

        async def counted_on() -> bool:
            nonlocal known
            found = await self.events("FailedScheduling")
            if len(found) > known:
                known = len(found)
                await self.label("node-0002", None)
                await self.label("node-0002", "huge")
            return any("series" in each for each in found)

        await self.until(counted_on)

    async def preempting(self) -> None:
        """The last node is full of a pod that has to go."""
        classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
        await self._api.post(classes, _object("urgent", value=1000))
        node = json.loads(await self._api.get("/api/v1/nodes/node-0003"))
        cpu = str(int(node["status"]["allocatable"]["cpu"]) - 1)
        there = {"nodeSelector": {"kubernetes.io/hostname": "node-0003"}}
        await self.pod("in-the-way", cpu=cpu, **there)
        await self.bound("in-the-way")
        await self.pod("urgent", cpu=cpu, priorityClassName="urgent", **there)
        await self.bound("urgent")
        await self.until(lambda: self.told("Preempted", 1))

    async def reserved_volume(self) -> None:
        """A volume that is there and waits for its first consumer."""
        await self._api.post(CLASSES, _storage_class("local", "kubernetes.io/no-provisioner"))
        await self._api.post(VOLUMES, _volume("disk", "local"))
        await self._api.post(CLAIMS, _claim("local", "local"))
        await self.pod("with-disk", volumes=[_used("local")])
        await self.bound("with-disk")

    async def provisioned_volume(self) -> None:
        """A volume that is made once the scheduler said where; the test is the provisioner."""
        await self._api.post(CLASSES, _storage_class("made", "provisioner.example"))
        await self._api.post(CLAIMS, _claim("made", "made"))
        await self.pod("with-made", volumes=[_used("made")])

        async def chosen() -> Json | None:
            claim: Json = json.loads(await self._api.get(f"{CLAIMS}/made"))
            return claim if SELECTED_NODE in claim["metadata"].get("annotations", {}) else None

        claim = (await self.until(chosen))["metadata"]
        reference = {"kind": "PersistentVolumeClaim", "namespace": "default", "name": "made", "uid": claim["uid"]}
        await self._api.post(VOLUMES, _volume("made", "made", claimRef=reference))
        await self.bound("with-made")

    async def gang(self) -> None:
        group = {"apiVersion": "scheduling.x-k8s.io/v1alpha1", "kind": "PodGroup"}
        await self._api.post(GROUPS, group | _object("three", spec={"minMember": 3}))
        for number in range(3):
            await self.pod(f"gang-{number}", labels={"scheduling.x-k8s.io/pod-group": "three"})
        for number in range(3):
            await self.bound(f"gang-{number}")

    async def pod(self, name: str, *, cpu: str = "100m", labels: dict[str, str] | None = None, **spec: Any) -> None:
        container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}
        made = {"schedulerName": self._scheduler, "terminationGracePeriodSeconds": 0, "containers": [container]}
        await self._api.post(PODS, _object(name, labels=labels or {}, spec=made | spec))

    async def label(self, node: str, room: str | None) -> None:
        await self._api.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {"room": room}}})

    async def bound(self, name: str) -> None:
        async def has_node() -> Any:
            return json.loads(await self._api.get(f"{PODS}/{name}"))["spec"].get("nodeName")

        await self.until(has_node)

    async def events(self, reason: str) -> list[Json]:
        found = json.loads(await self._api.get(EVENTS))["items"]
        return [each for each in found if each["reason"] == reason and each["reportingController"] == self._scheduler]

    async def told(self, reason: str, least: int) -> bool:
        return len(await self.events(reason)) >= least

    async def until(self, holds: Callable[[], Awaitable[Any]], *, limit_s: float = 60) -> Any:
        async with asyncio.timeout(limit_s):
            while not (found := await holds()):
                await asyncio.sleep(0.1)
        return found

    async def _there(self, path: str) -> bool:
        try:
            await self._api.get(path)
        except ApiError:
            return False
        return True


def _object(name: str, *, labels: dict[str, str] | None = None, **fields: Any) -> Json:
    return {"metadata": {"name": name, "labels": labels or {}}, **fields}


def _storage_class(name: str, provisioner: str) -> Json:
    return _object(name, provisioner=provisioner, volumeBindingMode="WaitForFirstConsumer")


def _volume(name: str, storage_class: str, **spec: Any) -> Json:
    made = {
        "storageClassName": storage_class, "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/x"},
    }  # fmt: skip
    return _object(name, spec=made | spec)


def _claim(name: str, storage_class: str) -> Json:
    resources = {"requests": {"storage": "1Gi"}}
    spec = {"storageClassName": storage_class, "accessModes": ["ReadWriteOnce"], "resources": resources}
    return _object(name, spec=spec)


def _used(claim: str) -> Json:
    return {"name": "v", "persistentVolumeClaim": {"claimName": claim}}
