"""What an object says about its state, as predicates for waits."""

from __future__ import annotations

from collections.abc import Callable

from idcbench.kube.crud import Client, Manifest, Manifests

Predicate = Callable[[Manifest], bool]


def name_of(found: Manifest) -> str:
    return str(found["metadata"]["name"])


def names(found: Manifests) -> set[str]:
    return {name_of(each) for each in found}


def is_ready(pod: Manifest) -> bool:
    """Whether a pod is ready, and nobody has asked for its deletion."""
    return has_condition("Ready")(pod) and not is_going(pod)


def all_ready(count: int) -> Callable[[Manifests], bool]:
    """Whether there are ``count`` pods, and each of them is ready."""
    return lambda pods: len(pods) == count and all(map(is_ready, pods))


def is_going(found: Manifest) -> bool:
    """Whether somebody has asked for the object's deletion."""
    return "deletionTimestamp" in found["metadata"]


def phase_is(phase: str) -> Predicate:
    return lambda found: found.get("status", {}).get("phase") == phase


def has_condition(kind: str, status: str = "True", *, reason: str = "") -> Predicate:
    """Whether the condition has this status, and this reason if one is given."""

    def holds(found: Manifest) -> bool:
        for one in found.get("status", {}).get("conditions") or ():
            if one["type"] == kind and one["status"] == status and reason in ("", one.get("reason")):
                return True
        return False

    return holds


def rolled_out(found: Manifest) -> bool:
    """Whether a Deployment has as many pods as it wants, all of its newest template and available, and no others."""
    wanted, status = found["spec"]["replicas"], found["status"]
    counts = [status.get(each, 0) for each in ("replicas", "updatedReplicas", "availableReplicas")]
    return observed(found) and counts == [wanted] * 3


def observed(found: Manifest) -> bool:
    """Whether its controller has seen the newest specification."""
    return bool(found["status"].get("observedGeneration") == found["metadata"]["generation"])


def wait_until_seen(client: Client, kind: str, name: str, namespace: str) -> Manifest:
    """Have the object's controller look at it once more, and return it as it is afterwards.

    What the controller did not do by then, it does not do: that is how "must not happen" is known without a pause.
    """
    body = {"spec": {"revisionHistoryLimit": 7}}
    client.patch(kind, name, body, namespace)
    return client.wait_for(kind, name, observed, namespace, what="seen again by its controller")


def wait_for_event(client: Client, namespace: str, name: str, reason: str, *, timeout_s: float = 30.0) -> Manifest:
    """Wait until an event says ``reason`` about the object ``name``; what it said."""
    selector = f"involvedObject.name={name},reason={reason}"
    found = client.wait_for_list(
        "Event", bool, namespace, api_version="v1", field_selector=selector, timeout_s=timeout_s,
        what=f"with {reason} about {name}",
    )  # fmt: skip
    return found[0]
