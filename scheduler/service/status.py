"""What is written into a pod's status: PodScheduled=False, the nomination, and that it has to go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from msgspec.json import encode

from idcbench.kube.objects import Condition

from ..objects import Pod

STRATEGIC = "application/strategic-merge-patch+json"


def path(pod: Pod, subresource: str = "") -> str:
    """Where the API has the pod."""
    return f"/api/v1/namespaces/{pod.metadata.namespace}/pods/{pod.metadata.name}{subresource}"


def not_scheduled(
    pod: Pod, reason: Literal["Unschedulable", "SchedulerError"], message: str, *, nominated: str | None = None
) -> bytes | None:
    """The patch that says why the pod waits; ``None`` when its status says so already.

    ``nominated`` is written as it is: empty takes a nomination back, ``None`` leaves what there is.
    """
    status: dict[str, Any] = {}
    wanted = Condition(type="PodScheduled", status="False", reason=reason, message=message)
    if (condition := _updated(pod, wanted)) is not None:
        status["conditions"] = [condition]
    if nominated is not None and nominated != pod.status.nominated_node_name:
        status["nominatedNodeName"] = nominated or None
    return _patch(pod, status) if status else None


def disruption_target(pod: Pod, scheduler_name: str) -> bytes | None:
    """The patch that says that the pod is preempted; ``None`` when its status says so already."""
    message = f"{scheduler_name}: preempting to accommodate a higher priority pod"
    wanted = Condition(type="DisruptionTarget", status="True", reason="PreemptionByScheduler", message=message)
    condition = _updated(pod, wanted)
    return None if condition is None else _patch(pod, {"conditions": [condition]})


def nomination_taken_back(pod: Pod) -> bytes:
    return _patch(pod, {"nominatedNodeName": None})


def delete_options(pod: Pod) -> bytes:
    """This pod only, not one made anew under its name."""
    return encode({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": pod.metadata.uid}})


def _patch(pod: Pod, status: dict[str, Any]) -> bytes:
    """The uid makes the API server refuse it (409) for a pod made anew under the name."""
    return encode({"metadata": {"uid": pod.metadata.uid}, "status": status})


def _updated(pod: Pod, wanted: Condition) -> dict[str, Any] | None:
    """The condition as it is to be, or ``None`` if it is so; its time moves only when its status does."""
    present = next((each for each in pod.status.conditions or () if each.type == wanted.type), Condition())
    told = (present.status, present.reason, present.message)
    if told == (wanted.status, wanted.reason, wanted.message):
        return None
    same = present.status == wanted.status
    condition: dict[str, Any] = {
        "type": wanted.type,
        "status": wanted.status,
        "lastProbeTime": None,
        "lastTransitionTime": (present.last_transition_time if same else None) or _now(),
        "reason": wanted.reason,
        "message": wanted.message,
    }
    if pod.metadata.generation:
        condition["observedGeneration"] = pod.metadata.generation
    return condition


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
