"""Kubernetes objects, typed by the fields in use: what is not named here is skipped while decoding.

Every field has a default, so that bookmarks (which carry a version only) and partial objects decode too. Users' own
types do the same: any Struct with a ``metadata: ObjectMeta`` can be listed and watched.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from msgspec import Struct, field


class OwnerReference(Struct, frozen=True, gc=False, rename="camel"):
    """Whom an object belongs to."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class ObjectMeta(Struct, frozen=True, gc=False, rename="camel"):
    """What every object has. Times are RFC 3339 text, as the server wrote them."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: tuple[OwnerReference, ...] | None = None
    finalizers: tuple[str, ...] | None = None


class Versioned(Protocol):
    """The metadata of an object, or a list."""

    @property
    def resource_version(self) -> str: ...


def version_of(what: Versioned) -> int:
    """The resource version as a number, which may be compared (officially since 1.35); 0 where it is none."""
    return int(what.resource_version) if what.resource_version.isdecimal() else 0


class KubeObject(Protocol):
    """Anything with metadata."""

    @property
    def metadata(self) -> ObjectMeta: ...


T = TypeVar("T", bound=KubeObject)


class Partial(Struct, frozen=True, gc=False, rename="camel"):
    """An object of any kind, of which only the metadata matters."""

    metadata: ObjectMeta = ObjectMeta()
    kind: str = ""
    api_version: str = ""


class Condition(Struct, frozen=True, gc=False, rename="camel"):
    """A condition of a pod, a node or a workload."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class PodSpec(Struct, frozen=True, gc=False, rename="camel"):
    node_name: str = ""
    scheduler_name: str = ""
    priority: int = 0


class PodStatus(Struct, frozen=True, gc=False, rename="camel"):
    phase: str = ""
    pod_ip: str = field(default="", name="podIP")
    start_time: str | None = None
    conditions: tuple[Condition, ...] | None = None


class Pod(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class Taint(Struct, frozen=True, gc=False):
    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Struct, frozen=True, gc=False):
    unschedulable: bool = False
    taints: tuple[Taint, ...] | None = None


class NodeStatus(Struct, frozen=True, gc=False):
    allocatable: dict[str, str] | None = None
    conditions: tuple[Condition, ...] | None = None


class Node(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class LeaseSpec(Struct, frozen=True, gc=False, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class Lease(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: LeaseSpec = LeaseSpec()


class ObjectReference(Struct, frozen=True, gc=False, rename="camel"):
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class Event(Struct, frozen=True, gc=False, rename="camel"):
    """An event of the core API (``/api/v1/…/events``)."""

    metadata: ObjectMeta = ObjectMeta()
    involved_object: ObjectReference = ObjectReference()
    type: str = ""
    reason: str = ""
    message: str = ""
    reporting_component: str = ""
    event_time: str | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    count: int = 0


class EndpointConditions(Struct, frozen=True, gc=False):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Endpoint(Struct, frozen=True, gc=False, rename="camel"):
    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    node_name: str | None = None
    target_ref: ObjectReference | None = None


class EndpointSlice(Struct, frozen=True, gc=False, rename="camel"):
    metadata: ObjectMeta = ObjectMeta()
    address_type: str = ""
    endpoints: tuple[Endpoint, ...] | None = None


class ConfigMap(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, str] | None = None
