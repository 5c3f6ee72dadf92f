"""A case's objects as a real API server takes them, and back."""

from __future__ import annotations

from typing import Any

import msgspec
from cases import Case
from cases.draw import Json

from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession

COLLECTIONS = {
    "namespaces": "/api/v1/namespaces",
    "nodes": "/api/v1/nodes",
    "services": "/api/v1/services",
    "persistentvolumeclaims": "/api/v1/persistentvolumeclaims",
    "persistentvolumes": "/api/v1/persistentvolumes",
    "storageclasses": "/apis/storage.k8s.io/v1/storageclasses",
    "csidrivers": "/apis/storage.k8s.io/v1/csidrivers",
    "csinodes": "/apis/storage.k8s.io/v1/csinodes",
    "volumeattachments": "/apis/storage.k8s.io/v1/volumeattachments",
    "pods": "/api/v1/pods",
}
"""What a live cluster has, in the order in which it is created."""

PRIORITIES = "/apis/scheduling.k8s.io/v1/priorityclasses"
THEMES = (
    "taints",
    "unschedulable",
    "affinity",
    "ports",
    "resources",
    "restrictions",
    "limits",
    "zone",
    "spread",
    "interpod",
    "images",
    "defaults",
)
"""What a live cluster can show without controllers, kubelets or storage provisioners."""


async def create(api: ApiSession, case: Case) -> int:
    """Create the cluster of a case; returns how many objects the API server did not take."""
    refused = 0
    for value in (-3, 0, 5, 8, 10, 20, 1000):
        await api.post(PRIORITIES, priority_class(value))
    claims: dict[str, str] = {}
    for resource, path in COLLECTIONS.items():
        for each in case["objects"].get(resource, ()):
            body = _ADAPTED.get(resource, _as_it_is)(each)
            if resource == "persistentvolumes" and "claimRef" in body["spec"]:
                body["spec"]["claimRef"]["uid"] = claims.get(body["spec"]["claimRef"]["name"], "")
            try:
                created = await _post(api, path, body)
            except ApiError as error:
                if error.status not in (400, 409, 422) or resource == "nodes":
                    raise
                refused += resource != "namespaces"  # default is there already
                continue
            if resource == "persistentvolumeclaims":
                claims[created["metadata"]["name"]] = created["metadata"]["uid"]
            if resource == "pods" and each["metadata"].get("deletionTimestamp"):
                # nobody ends it: it stays, being deleted
                await api.delete(f"{_own_path(path, created)}/{created['metadata']['name']}")
    return refused


async def snapshot(api: ApiSession) -> dict[str, list[Json]]:
    """Everything that the scheduler knows, as the API server has it."""

    found = {name: msgspec.json.decode(await api.get(path))["items"] or [] for name, path in COLLECTIONS.items()}
    return {name: [dict(each) for each in items] for name, items in found.items()}


async def create_pod(api: ApiSession, pod: Json) -> Json:
    """Raises :class:`ApiError` when the API server does not take it."""
    return await _post(api, COLLECTIONS["pods"], pod_to_place(pod))


async def _post(api: ApiSession, path: str, body: Json) -> Json:

    decoded: Json = msgspec.json.decode(await api.post(_own_path(path, body), body))
    return decoded


def _own_path(path: str, body: Json) -> str:
    """A namespaced collection is created in its namespace."""
    namespace = body["metadata"].get("namespace")
    if not namespace:
        return path
    head, _, plural = path.rpartition("/")
    return f"{head}/namespaces/{namespace}/{plural}"


def priority_class(value: int) -> Json:
    """Pods name a class, not a number; none preempts, so that the cluster stays as it was asked about."""
    name = f"p{value}".replace("-", "minus")
    return {"metadata": {"name": name}, "value": value, "preemptionPolicy": "Never"}


def pod_to_place(pod: Json) -> Json:
    spec: Json = {key: value for key, value in pod["spec"].items() if key not in ("priority", "overhead", "resources")}
    spec["priorityClassName"] = priority_class(pod["spec"].get("priority", 0))["metadata"]["name"]
    spec["preemptionPolicy"] = "Never"
    spec.pop("schedulingGates", None)
    for key in ("containers", "initContainers"):
        if key in spec:
            spec[key] = [_limited(each) for each in spec[key]]
    if "tolerations" in spec:
        spec["tolerations"] = [each for each in spec["tolerations"] if each.get("operator") not in ("Gt", "Lt")]
    return {"metadata": _metadata(pod), "spec": spec}


def _limited(container: Json) -> Json:
    """Extended resources and huge pages need a limit of the same."""
    asked = container.get("resources", {}).get("requests", {})
    firm = {name: value for name, value in asked.items() if "/" in name or name.startswith("hugepages")}
    return container | {"resources": {"requests": asked, "limits": firm}}


def _metadata(thing: Json) -> Json:
    kept = ("name", "namespace", "labels", "annotations", "ownerReferences")
    meta = {key: value for key, value in thing["metadata"].items() if key in kept}
    if meta.get("namespace") == "unlisted":
        meta["namespace"] = "default"
    return meta


def _as_it_is(thing: Json) -> Json:
    return thing | {"metadata": _metadata(thing)}


def _node(node: Json) -> Json:
    spec = dict(node["spec"])
    if spec.get("taints"):  # one of a key and an effect
        spec["taints"] = list({(each["key"], each["effect"]): each for each in spec["taints"]}.values())
    return {"metadata": _metadata(node), "spec": spec, "status": node["status"]}


def _service(service: Json) -> Json:
    return _as_it_is(service) | {"spec": service["spec"] | {"ports": [{"port": 80}]}}


def _volume(volume: Json) -> Json:
    spec = dict(volume["spec"])
    if "csi" not in spec:
        spec["hostPath"] = {"path": "/data"}
    return {"metadata": _metadata(volume), "spec": spec}


def _pod(pod: Json) -> Json:
    body = pod_to_place(pod)
    body["spec"]["nodeName"] = pod["spec"]["nodeName"]
    return body


_ADAPTED: dict[str, Any] = {
    "nodes": _node,
    "services": _service,
    "persistentvolumes": _volume,
    "pods": _pod,
}
