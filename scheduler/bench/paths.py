"""Where an object of the API lies: the paths of what the benchmark creates. Pure."""

from __future__ import annotations

from .templates import Object

_PLURALS = {
    "Namespace": "namespaces",
    "Node": "nodes",
    "Pod": "pods",
    "PodGroup": "podgroups",
    "PriorityClass": "priorityclasses",
    "Service": "services",
}


def collection(obj: Object) -> str:
    """The path that ``obj`` is posted to. Raises ``KeyError`` for a kind that no workload has."""
    version, namespace = obj["apiVersion"], obj["metadata"].get("namespace")
    root = f"/api/{version}" if version == "v1" else f"/apis/{version}"
    return root + (f"/namespaces/{namespace}" if namespace else "") + "/" + _PLURALS[obj["kind"]]


def path(obj: Object) -> str:
    """The path of ``obj`` itself."""
    return f"{collection(obj)}/{obj['metadata']['name']}"


def binding(pod: Object) -> str:
    return path(pod) + "/binding"


def events(namespace: str) -> str:
    """Where schedulers write their events."""
    return f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
