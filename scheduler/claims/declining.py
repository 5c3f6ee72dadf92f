"""What a pod may ask that this scheduler does not do: better declined with a word than placed wrongly."""

from __future__ import annotations

from collections.abc import Callable

from ..objects import Pod
from ..requests import pod_requests
from .device_classes import DeviceClasses

_TOLERATIONS = ("", "Exists", "Equal")
_EFFECTS = ("", "NoSchedule", "PreferNoSchedule", "NoExecute")
_SPREADING = ("DoNotSchedule", "ScheduleAnyway")
_INCLUSION = (None, "Honor", "Ignore")
_PREEMPTION = (None, "", "Never", "PreemptLowerPriority")


def reason_to_decline(
    pod: Pod, *, classes: DeviceClasses | None = None, offered: Callable[[str], bool] | None = None
) -> str | None:
    """Why the pod is not placed at all, whatever the nodes; ``None`` for a pod that can be decided on.

    Declined is what needs devices to be allocated: resource claims, and an extended resource that stands for devices
    (``classes``) and that no node has as allocatable (``offered`` tells, by the name of the resource). Where some
    node has it, the pod goes to such nodes alone. Declined too is what a newer API may say in a word unknown here.
    Nothing but a change of the pod, or of device classes and nodes, alters the answer. Raises ``ValueError`` as
    ``pod_requests`` does.
    """
    spec = pod.spec
    if spec.resource_claims:
        names = ", ".join(claim.name for claim in spec.resource_claims)
        return f"the pod has resource claims ({names}), and this scheduler allocates no devices"
    if classes is not None and (reason := _device(pod, classes, offered)):
        return reason
    if spec.tolerations or spec.topology_spread_constraints or spec.preemption_policy or spec.scheduling_group:
        return _unknown_word(pod)
    return None


def _device(pod: Pod, classes: DeviceClasses, offered: Callable[[str], bool] | None) -> str | None:
    for resource in pod_requests(pod):
        name = classes.of(resource) if "/" in resource else None
        if name is not None and not (offered is not None and offered(resource)):
            return f"{resource} stands for devices of class {name}, and this scheduler allocates no devices"
    return None


def _unknown_word(pod: Pod) -> str | None:
    spec = pod.spec
    for toleration in spec.tolerations or ():
        if toleration.operator not in _TOLERATIONS:
            return _unknown("toleration", toleration.key, "operator", toleration.operator)
        if toleration.effect not in _EFFECTS:
            return _unknown("toleration", toleration.key, "effect", toleration.effect)
    for spread in spec.topology_spread_constraints or ():
        if spread.when_unsatisfiable not in _SPREADING:
            return _unknown("spread constraint", spread.topology_key, "whenUnsatisfiable", spread.when_unsatisfiable)
        for field, policy in (
            ("nodeAffinityPolicy", spread.node_affinity_policy),
            ("nodeTaintsPolicy", spread.node_taints_policy),
        ):
            if policy not in _INCLUSION:
                return _unknown("spread constraint", spread.topology_key, field, policy)
    if spec.preemption_policy not in _PREEMPTION:
        return f"preemptionPolicy {spec.preemption_policy!r} is unknown to this scheduler"
    if spec.scheduling_group is not None and not spec.scheduling_group.pod_group_name:
        return "the scheduling group names no pod group, the only kind that this scheduler knows"
    return None


def _unknown(what: str, key: str, field: str, word: str | None) -> str:
    return f"{field} {word!r} of the {what} {key!r} is unknown to this scheduler"
