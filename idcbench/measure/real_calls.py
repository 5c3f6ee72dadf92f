"""Requests that make objects as large and as labelled as those of real applications, for a load that means something.

The shapes are ours, after what charts of common applications render: the recommended labels of kubernetes.io and some
of a team's own, two containers with probes, resources, mounts and environment. A pod is padded to 3.3 kB as it is
sent, the size that this project's readers are measured with. We know of no published distribution (one owner states
14 kB for system pods and 50 kB for applications', as stored: NVIDIA/NVSentinel#1705), so each size can be given.
"""

from __future__ import annotations

import base64
import random
import string
from typing import Any

import msgspec

from .calls import NUMBER, NUMBER_DIGITS, Call

POD_BYTES = 3300
DEPLOYMENT_BYTES = 3600
CONFIG_MAP_BYTES = 2000
"""A file of settings."""
SECRET_BYTES = 4500
"""A certificate's chain and its key."""
LABELS = 8
LOAD_LABEL = "idcbench.io/load"
"""On everything that these calls make, so that it can be found and deleted."""
IMAGE = "registry.k8s.io/pause:3.10"


def create_pod(
    namespace: str, *, size_bytes: int = POD_BYTES, labels: int = LABELS, scheduler: str = "", weight: float = 1.0
) -> Call:
    """POST of a pod; with a ``scheduler`` that nobody is, it stays pending and no token is mounted in it.

    Raises ``ValueError``, as the others do, when it is larger than that before it is padded.
    """
    spec = _pod_spec() | ({"schedulerName": scheduler, "automountServiceAccountToken": False} if scheduler else {})
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": _metadata("pod", labels), "spec": spec}
    return _creation(namespace, "api/v1", "pods", _padded(pod, size_bytes), weight)


def create_deployment(
    namespace: str, *, size_bytes: int = DEPLOYMENT_BYTES, labels: int = LABELS, replicas: int = 0, weight: float = 1.0
) -> Call:
    """POST of a Deployment with the pod of :func:`create_pod`; without replicas no controller makes more of it."""
    metadata = _metadata("deployment", labels)
    selected = {"app.kubernetes.io/instance": metadata["name"]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": selected},
            "template": {"metadata": {"labels": metadata["labels"]}, "spec": _pod_spec()},
        },
    }
    return _creation(namespace, "apis/apps/v1", "deployments", _padded(deployment, size_bytes), weight)


def create_config_map(
    namespace: str, *, size_bytes: int = CONFIG_MAP_BYTES, labels: int = LABELS, weight: float = 1.0
) -> Call:
    """POST of a ConfigMap with one file."""
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata("config", labels), "data": {"settings": ""}}
    room = _room(made, size_bytes)
    made["data"] = {"settings": _text(room)}
    return _creation(namespace, "api/v1", "configmaps", made, weight)


def create_secret(namespace: str, *, size_bytes: int = SECRET_BYTES, labels: int = LABELS, weight: float = 1.0) -> Call:
    """POST of a Secret: bytes that do not compress, as keys do not; up to 3 bytes smaller than asked for (base64)."""
    made = {"apiVersion": "v1", "kind": "Secret", "metadata": _metadata("secret", labels), "data": {"tls.key": ""}}
    room = _room(made, size_bytes)
    made["data"] = {"tls.key": base64.b64encode(random.Random(size_bytes).randbytes(room // 4 * 3)).decode()}
    return _creation(namespace, "api/v1", "secrets", made, weight)


def _creation(namespace: str, group: str, resource: str, made: dict[str, Any], weight: float) -> Call:
    path = f"/{group}/namespaces/{namespace}/{resource}"
    return Call(name=f"POST {resource}", method="POST", path=path, body=_encoded(made), weight=weight)


def _metadata(kind: str, labels: int) -> dict[str, Any]:
    name = f"load-{kind}-{NUMBER}"
    if labels < len(said := {LOAD_LABEL: "true", "app.kubernetes.io/instance": name}):
        raise ValueError(f"at least {len(said)} labels are wanted; found {labels}")
    more = ("name", "version", "component", "part-of", "managed-by")
    said |= {f"app.kubernetes.io/{key}": f"storefront-{key}" for key in more[: labels - len(said)]}
    said |= {f"example.com/label-{place}": f"value-{place}" for place in range(labels - len(said))}
    return {"name": name, "labels": said}


def _pod_spec() -> dict[str, Any]:
    return {
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container("app", variables=10), _container("proxy", variables=4)],
        "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "cache", "emptyDir": {"sizeLimit": "100Mi"}}],
    }


def _container(name: str, *, variables: int) -> dict[str, Any]:
    return {
        "name": name,
        "image": IMAGE,
        "ports": [{"name": "http", "containerPort": 8080 if name == "app" else 15001}],
        "env": [{"name": f"SETTING_{place}", "value": f"value-of-{place}"} for place in range(variables)],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 10},
        "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}, "initialDelaySeconds": 10},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "cache", "mountPath": "/cache"}],
    }


def _padded(made: dict[str, Any], size_bytes: int) -> dict[str, Any]:
    """With an annotation, as tools leave them, that brings it to the size."""
    made["metadata"]["annotations"] = {"example.com/last-applied": ""}
    made["metadata"]["annotations"]["example.com/last-applied"] = _text(_room(made, size_bytes))
    return made


def _room(made: dict[str, Any], size_bytes: int) -> int:
    """How many bytes are missing once its numbers are in it."""
    body = _encoded(made)
    bare = len(body) + body.count(NUMBER) * (NUMBER_DIGITS - len(NUMBER))
    if bare > size_bytes:
        raise ValueError(f"{made['kind']}: {size_bytes} bytes are wanted, but it has {bare} before anything is added")
    return size_bytes - bare


def _text(length: int) -> str:
    """Letters and digits; no shorter when they are encoded as JSON, and always the same."""
    return "".join(random.Random(length).choices(string.ascii_letters + string.digits, k=length))


def _encoded(made: dict[str, Any]) -> str:
    return msgspec.json.encode(made).decode()
