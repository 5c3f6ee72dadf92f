"""What a pod asks of a node: its resource requests and host ports, as kube-scheduler 1.37 counts them.

The sums are those of PodRequests in k8s.io/component-helpers/resource: exact until the end, then rounded up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from .amounts import Amounts, Line, Sums, add, exact, line, raise_to, rounded, sums_of
from .objects import Container, ContainerStatus, Pod, Resources

HostPort = tuple[str, str, int]
"""Protocol, address (``0.0.0.0`` for all) and port."""

CPU, MEMORY = "cpu", "memory"
DEFAULT_CPU_MILLI = 100
"""What a container without a request counts for in scores (kubernetes pkg/scheduler/util/pod_resources.go)."""
DEFAULT_MEMORY_BYTES = 200 * 2**20
_DEFAULTS = {CPU: DEFAULT_CPU_MILLI * 10**6, MEMORY: DEFAULT_MEMORY_BYTES * 10**9}
_COUNTED = frozenset((CPU, MEMORY, "ephemeral-storage"))


class _Containers(NamedTuple):
    """What each container asks for; of the init containers also whether it stays (a sidecar)."""

    main: tuple[Line, ...]
    init: tuple[tuple[Line, bool], ...]


class _Status(NamedTuple):
    """What a bound pod holds: per container and, where the node tells it, for the pod as a whole."""

    allocated: _Containers
    actual: _Containers
    pod_allocated: Line | None
    pod_actual: Line | None
    pod_level_reported: bool
    infeasible: bool


class _Asked(NamedTuple):
    """All that the sums depend on, as plain values to be remembered by."""

    spec: _Containers
    pod_level: Line
    overhead: Line
    status: _Status | None


def pod_requests(pod: Pod) -> Mapping[str, int]:
    """What the pod takes from its node: ``cpu`` in thousandths, all else in whole units, nothing that is zero.

    For a bound pod the larger of what is asked, allocated and in use; what an infeasible resize asks does not count.
    The mapping is shared between pods of the same requests. Raises ``ValueError`` naming pod and field when one of
    the quantities cannot be read or is negative.
    """
    return _of(pod)[0]


def nonzero_requests(pod: Pod) -> tuple[int, int]:
    """``(cpu in thousandths, memory in bytes)`` with 100m and 200Mi for containers that ask for nothing.

    Only scores count so. Raises as ``pod_requests`` does.
    """
    return _of(pod)[1]


def host_ports(pod: Pod) -> tuple[HostPort, ...]:
    """The ports of the node that containers and sidecars take, in the order of the spec."""
    staying = [c for c in pod.spec.init_containers or () if _stays(c)]
    return tuple(
        (port.protocol or "TCP", port.host_ip or "0.0.0.0", port.host_port)
        for container in (*staying, *(pod.spec.containers or ()))
        for port in container.ports or ()
        if port.host_port > 0
    )


def is_counted(resource: str) -> bool:
    """Whether a node has to have room for it: the native ones, extended resources, huge pages, volume attachments."""
    if resource in _COUNTED or resource.startswith(("hugepages-", "attachable-volumes-")):
        return True
    return "/" in resource and ("kubernetes.io/" in resource or not resource.startswith("requests."))


def resize_infeasible(pod: Pod) -> bool:
    """Whether the node has refused a resize for good."""
    for condition in pod.status.conditions or ():
        if condition.type == "PodResizePending":
            return condition.reason == "Infeasible"
    return False


def _of(pod: Pod) -> tuple[Mapping[str, int], tuple[int, int]]:
    spec = pod.spec
    asked = _Asked(
        _Containers(
            tuple([line(c.resources.requests) for c in spec.containers or ()]),
            tuple([(line(c.resources.requests), _stays(c)) for c in spec.init_containers])
            if spec.init_containers
            else (),
        ),
        line(spec.resources.requests) if spec.resources else (),
        line(spec.overhead),
        _status(pod) if spec.node_name else None,
    )
    try:
        return _totals(asked)
    except ValueError as error:
        raise _located(pod) or error from None


@lru_cache(maxsize=16384)
def _totals(asked: _Asked) -> tuple[Mapping[str, int], tuple[int, int]]:
    plain = _sums(asked, {})
    missing = {name: amount for name, amount in _DEFAULTS.items() if not _sets(asked.pod_level) or name not in plain}
    filled = _sums(asked, missing) if missing else plain
    whole = {name: rounded(name, amount) for name, amount in plain.items() if amount and is_counted(name)}
    return whole, (rounded(CPU, filled.get(CPU, 0)), rounded(MEMORY, filled.get(MEMORY, 0)))


def _sums(asked: _Asked, missing: Sums) -> Sums:
    sums = _of_containers(asked.spec, missing)
    if asked.status:
        sums = _held(sums, asked.status, missing)
    if _sets(asked.pod_level):
        level = sums_of(asked.pod_level)
        if asked.status and asked.status.pod_level_reported:
            level = {} if asked.status.infeasible else level
            raise_to(level, sums_of(asked.status.pod_actual or ()))
            raise_to(level, sums_of(asked.status.pod_allocated or ()))
        sums.update((name, amount) for name, amount in level.items() if _at_pod_level(name))
    add(sums, sums_of(asked.overhead))
    return sums


def _of_containers(containers: _Containers, missing: Sums) -> Sums:
    """The sum of what runs together, or what the greediest moment of initialisation needs.

    An init container runs beside the sidecars before it; a sidecar stays beside the containers as well.
    """
    sums: Sums = {}
    for each in containers.main:
        add(sums, sums_of(each, missing))
    sidecars: Sums = {}
    most: Sums = {}
    for each, stays in containers.init:
        moment = sums_of(each, missing)
        if stays:
            add(sums, moment)
        add(moment, sidecars)
        if stays:
            sidecars = moment
        raise_to(most, moment)
    raise_to(sums, most)
    return sums


def _held(asked: Sums, status: _Status, missing: Sums) -> Sums:
    if status.pod_allocated is not None and status.pod_actual is not None:
        held, actual = sums_of(status.pod_allocated), sums_of(status.pod_actual)
    else:
        held = _of_containers(status.allocated, missing)
        actual = _of_containers(status.actual, missing)
    raise_to(held, actual)
    if not status.infeasible:
        raise_to(held, asked)
    return held


def _status(pod: Pod) -> _Status | None:
    status, infeasible = pod.status, resize_infeasible(pod)
    reported = [*(status.init_container_statuses or ()), *(status.container_statuses or ())]
    if not (reported or infeasible or status.resources or status.allocated_resources):
        return None
    by_name = {each.name: each for each in reported}
    requests = status.resources.requests if status.resources else None
    return _Status(
        _each(pod, by_name, actual=False, infeasible=infeasible),
        _each(pod, by_name, actual=True, infeasible=infeasible),
        None if status.allocated_resources is None else line(status.allocated_resources),
        None if requests is None else line(requests),
        status.resources is not None,
        infeasible,
    )


def _each(pod: Pod, by_name: Mapping[str, ContainerStatus], *, actual: bool, infeasible: bool) -> _Containers:
    def of(container: Container) -> Line:
        status = by_name.get(container.name)
        if actual and status and status.resources and status.resources.requests is not None:
            return line(status.resources.requests)
        if status and status.allocated_resources is not None:
            return line(status.allocated_resources)
        return () if infeasible else line(container.resources.requests)

    return _Containers(
        tuple([of(c) for c in pod.spec.containers or ()]),
        tuple([(of(c), _stays(c)) for c in pod.spec.init_containers or ()]),
    )


def _stays(container: Container) -> bool:
    return container.restart_policy == "Always"


def _at_pod_level(resource: str) -> bool:
    return resource in (CPU, MEMORY) or resource.startswith("hugepages-")


def _sets(pod_level: Line) -> bool:
    return any(_at_pod_level(name) for name, _ in pod_level)


def _located(pod: Pod) -> ValueError | None:
    """The error of the first quantity that cannot be read, with its pod and field."""
    for field, amounts in _fields(pod):
        for name, written in (amounts or {}).items():
            try:
                exact(written)
            except ValueError as error:
                return ValueError(f"pod {pod.key}: {field}[{name}]: {error}")
    return None


def _fields(pod: Pod) -> Iterator[tuple[str, Amounts | None]]:
    for kind, containers in (("containers", pod.spec.containers), ("initContainers", pod.spec.init_containers)):
        for at, container in enumerate(containers or ()):
            yield f"spec.{kind}[{at}].resources.requests", container.resources.requests
    yield "spec.resources.requests", _requested(pod.spec.resources)
    yield "spec.overhead", pod.spec.overhead
    for status in (*(pod.status.container_statuses or ()), *(pod.status.init_container_statuses or ())):
        yield f"status of container {status.name}: allocatedResources", status.allocated_resources
        yield f"status of container {status.name}: resources.requests", _requested(status.resources)
    yield "status.allocatedResources", pod.status.allocated_resources
    yield "status.resources.requests", _requested(pod.status.resources)


def _requested(resources: Resources | None) -> Amounts | None:
    return resources.requests if resources else None
