"""What the API says after a round: nodes, pods, gangs, and which event says Scheduled of which pod."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from idcbench.kube.access import Access
from idcbench.kube.apierror import ApiError
from idcbench.kube.listing import list_all
from idcbench.kube.objects import ObjectMeta, ObjectReference
from idcbench.kube.session import ApiSession

from ..objects import Namespace, Node, Pod, PodGroup

PAGE = 5000


class Event(Struct, frozen=True, gc=False):
    """An event of events.k8s.io."""

    metadata: ObjectMeta = ObjectMeta()
    reason: str = ""
    regarding: ObjectReference = ObjectReference()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """``scheduled`` maps ``namespace/name`` of a pod to that of its Scheduled event, ``namespaces`` names to labels."""

    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    groups: tuple[PodGroup, ...]
    namespaces: dict[str, dict[str, str]]
    scheduled: dict[str, str]


async def read(access: Access) -> Found:
    """Read everything. Raises :class:`ApiError`."""
    async with ApiSession(access, timeout_s=60.0) as api:
        nodes = await list_all(api, Node, "/api/v1/nodes", page_size=PAGE)
        pods = await list_all(api, Pod, "/api/v1/pods", page_size=PAGE)
        events = await list_all(api, Event, "/apis/events.k8s.io/v1/events", page_size=PAGE)
        namespaces = await list_all(api, Namespace, "/api/v1/namespaces", page_size=PAGE)
        groups = await _groups(api)
    scheduled = {
        f"{one.regarding.namespace}/{one.regarding.name}": f"{one.metadata.namespace}/{one.metadata.name}"
        for one in events.items
        if one.reason == "Scheduled"
    }
    return Found(
        nodes=nodes.items,
        pods=pods.items,
        groups=groups,
        namespaces={one.metadata.name: one.metadata.labels or {} for one in namespaces.items},
        scheduled=scheduled,
    )


async def _groups(api: ApiSession) -> tuple[PodGroup, ...]:
    """The gangs; none where the API server does not serve them."""
    try:
        return (await list_all(api, PodGroup, "/apis/scheduling.k8s.io/v1beta1/podgroups", page_size=PAGE)).items
    except ApiError as error:
        if error.status != 404:
            raise
        return ()
