"""What a pod asks for and takes (component-helpers/resource/helpers.go, framework/types.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache

from idcbench.scheduler.objects import Container, ContainerStatus, Pod

Amounts = dict[str, Fraction]
"""Exact amounts by resource; cpu in cores."""

DEFAULT = {"cpu": Fraction(1, 10), "memory": Fraction(200 * 2**20)}
"""What a container that asks for nothing counts as when nodes are scored (pkg/scheduler/util/pod_resources.go)."""

_GRAMMAR = re.compile(r"([+-]?[0-9.]+)([a-zA-Z]*|[eE][+-]?[0-9]+)")
_FACTOR = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1)}
_FACTOR |= {suffix: Fraction(10 ** (3 * power)) for power, suffix in enumerate("kMGTPE", 1)}
_FACTOR |= {suffix + "i": Fraction(2 ** (10 * power)) for power, suffix in enumerate("KMGTPE", 1)}


@lru_cache(maxsize=4096)
def amount(quantity: str | int | float) -> Fraction:
    match = _GRAMMAR.fullmatch(str(quantity))
    assert match, quantity
    number, suffix = match.groups()
    factor = Fraction(10) ** int(suffix[1:]) if suffix[:1] in ("e", "E") and suffix[1:] else _FACTOR[suffix]
    return Fraction(number) * factor


def whole(exact: Fraction) -> int:
    """Rounded away from zero, as Quantity.Value and MilliValue do."""
    return -(-exact.numerator // exact.denominator) if exact >= 0 else exact.numerator // exact.denominator


def units(name: str, exact: Fraction) -> int:
    return whole(exact * 1000) if name == "cpu" else whole(exact)


def amounts(quantities: Mapping[str, str | int | float] | None) -> Amounts:
    return {name: amount(quantity) for name, quantity in (quantities or {}).items()}


def plus(first: Amounts, second: Amounts) -> Amounts:
    return {name: first.get(name, Fraction(0)) + second.get(name, Fraction(0)) for name in first | second}


def larger(*several: Amounts) -> Amounts:
    together: Amounts = {}
    for each in several:
        for name, exact in each.items():
            together[name] = max(exact, together.get(name, exact))
    return together


def is_pod_level(name: str) -> bool:
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def has_pod_level_requests(pod: Pod) -> bool:
    return pod.spec.resources is not None and any(map(is_pod_level, pod.spec.resources.requests or {}))


def infeasible_resize(pod: Pod) -> bool:
    """A resize that the node will never grant: then the specification does not count (first such condition)."""
    for condition in pod.status.conditions or ():
        if condition.type == "PodResizePending":
            return condition.reason == "Infeasible"
    return False


def pod_requests(
    pod: Pod, *, status: bool, pod_level: bool = True, missing: Mapping[str, Fraction] | None = None
) -> Amounts:
    """The sum of containers and sidecars, or what an init container needs if that is more, and overhead.

    ``status`` also looks at what is allocated and actually held (in-place resize); ``pod_level`` lets spec.resources
    override; ``missing`` is what a container counts as that does not name the resource.
    """
    missing = missing or {}
    infeasible = infeasible_resize(pod)
    asked = _of_containers(pod, _specified, missing)
    if status:
        held = pod.status.resources.requests if pod.status.resources else None
        if pod.status.allocated_resources is not None and held is not None:
            allocated, actual = amounts(pod.status.allocated_resources), amounts(held)
        else:
            allocated = _of_containers(pod, _allocated, missing)
            actual = _of_containers(pod, _actual, missing)
        asked = larger(actual, allocated) if infeasible else larger(asked, actual, allocated)
    if pod_level and has_pod_level_requests(pod):
        assert pod.spec.resources is not None
        level = amounts(pod.spec.resources.requests)
        if status and pod.status.resources is not None:
            level = larger(
                {} if infeasible else level,
                amounts(pod.status.resources.requests),
                amounts(pod.status.allocated_resources),
            )
        asked |= {name: exact for name, exact in level.items() if is_pod_level(name)}
    return plus(asked, amounts(pod.spec.overhead))


Reading = Callable[[Container, ContainerStatus | None, bool], Mapping[str, str | int | float] | None]


def _of_containers(pod: Pod, read: Reading, missing: Mapping[str, Fraction]) -> Amounts:
    def of(container: Container) -> Amounts:
        return dict(missing) | amounts(read(container, _status_of(pod, container.name), infeasible_resize(pod)))

    total: Amounts = {}
    for container in pod.spec.containers or ():
        total = plus(total, of(container))
    sidecars: Amounts = {}
    most: Amounts = {}
    for container in pod.spec.init_containers or ():
        if container.restart_policy == "Always":
            total = plus(total, of(container))
            sidecars = plus(sidecars, of(container))
            most = larger(most, sidecars)
        else:
            most = larger(most, plus(of(container), sidecars))
    return larger(total, most)


def _status_of(pod: Pod, name: str) -> ContainerStatus | None:
    everyone = (*(pod.status.container_statuses or ()), *(pod.status.init_container_statuses or ()))
    return next((status for status in everyone if status.name == name), None)


def _specified(
    container: Container, _status: ContainerStatus | None, _infeasible: bool
) -> Mapping[str, str | int | float] | None:
    return container.resources.requests


def _allocated(
    container: Container, status: ContainerStatus | None, infeasible: bool
) -> Mapping[str, str | int | float] | None:
    if status and status.allocated_resources is not None:
        return status.allocated_resources
    return None if infeasible else container.resources.requests


def _actual(
    container: Container, status: ContainerStatus | None, infeasible: bool
) -> Mapping[str, str | int | float] | None:
    if status and status.resources and status.resources.requests is not None:
        return status.resources.requests
    return _allocated(container, status, infeasible)


def taken(pod: Pod) -> Amounts:
    """What a pod that has a node takes from it."""
    return pod_requests(pod, status=True)


def taken_nonzero(pod: Pod) -> Amounts:
    """The same of cpu and memory for scores, with what containers that ask for nothing count as."""
    if not has_pod_level_requests(pod):
        missing = DEFAULT
    else:
        missing = {name: default for name, default in DEFAULT.items() if name not in taken(pod)}
    return pod_requests(pod, status=True, missing=missing)
