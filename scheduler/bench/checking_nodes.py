"""What one node and the pods on it must satisfy: room, ports, taints, affinity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ..objects import Node, Pod, Resources, Taint, Toleration
from ..quantity import milli_value
from .checking_labels import node_matches

UNSCHEDULABLE = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
"""What `kubectl cordon` means to a pod: it may go there only if it tolerates this."""


def violations(node: Node, pods: Sequence[Pod]) -> Iterator[str]:
    """Everything that is wrong about ``pods`` being on ``node``, as sentences."""
    yield from _overcommitted(node, pods)
    yield from _port_clashes(node, pods)
    for pod in pods:
        yield from _unwelcome(node, pod)


def requests(pod: Pod) -> Counter[str]:
    """What the pod takes, in thousandths: the larger of its containers together and of each init step, plus overhead.

    Sidecars (init containers that restart always) stay, and run beside every later step; what the pod says as a whole
    (``spec.resources``) replaces the sum where it says it.
    """
    main: Counter[str] = Counter()
    for container in pod.spec.containers or ():
        main.update(_asked(container.resources))
    sidecars: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for container in pod.spec.init_containers or ():
        step = _asked(container.resources)
        if container.restart_policy == "Always":
            sidecars.update(step)
            most |= sidecars
        else:
            most |= sidecars + step
    total = (main + sidecars) | most
    for name, amount in _asked(pod.spec.resources or Resources()).items():
        total[name] = amount
    total.update(_milli(pod.spec.overhead or {}))
    return total


def _asked(resources: Resources) -> Counter[str]:
    """Requests; a limit stands in where no request is given, as the API's defaulting has it."""
    return _milli({**(resources.limits or {}), **(resources.requests or {})})


def _milli(amounts: dict[str, str | int | float]) -> Counter[str]:
    return Counter({name: milli_value(str(amount)) for name, amount in amounts.items()})


def _overcommitted(node: Node, pods: Sequence[Pod]) -> Iterator[str]:
    room = _milli(node.status.allocatable or {})
    taken: Counter[str] = Counter({"pods": 1000 * len(pods)})
    for pod in pods:
        taken.update(requests(pod))
    for name, amount in taken.items():
        if amount > room[name]:
            yield (
                f"node {node.metadata.name}: {amount / 1000:g} {name} taken by {len(pods)} pods, "
                f"{room[name] / 1000:g} there"
            )


def _port_clashes(node: Node, pods: Iterable[Pod]) -> Iterator[str]:
    taken: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for pod in pods:
        containers = (*(pod.spec.containers or ()), *(pod.spec.init_containers or ()))
        mine = {
            (port.protocol or "TCP", port.host_port, port.host_ip or "0.0.0.0")
            for one in containers
            for port in one.ports or ()
            if port.host_port
        }
        for protocol, number, address in sorted(mine):
            for other_address, other in taken.get((protocol, number), ()):
                if address == other_address or "0.0.0.0" in (address, other_address):
                    yield f"node {node.metadata.name}: {pod.key} and {other} both hold {protocol} {number}"
        for protocol, number, address in mine:
            taken.setdefault((protocol, number), []).append((address, pod.key))


def _unwelcome(node: Node, pod: Pod) -> Iterator[str]:
    name = node.metadata.name
    if not node_matches(pod, name=name, labels=node.metadata.labels or {}):
        yield f"{pod.key} on node {name}: its node selector or affinity does not allow it"
    taints = (*(node.spec.taints or ()), *((UNSCHEDULABLE,) if node.spec.unschedulable else ()))
    for taint in taints:
        if taint.effect != "PreferNoSchedule" and not any(_tolerates(one, taint) for one in pod.spec.tolerations or ()):
            yield f"{pod.key} on node {name}: it does not tolerate {taint.key}={taint.value}:{taint.effect}"
    if pod.spec.scheduling_gates:
        yield f"{pod.key} on node {name}: it is gated by {pod.spec.scheduling_gates[0].name}"


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect not in ("", taint.effect) or toleration.key not in ("", taint.key):
        return False
    if toleration.operator == "Exists":
        return True
    return toleration.operator in ("", "Equal") and bool(toleration.key) and toleration.value == taint.value
