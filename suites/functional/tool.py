"""Pods that do what a test asks of them: podtool, which answers HTTP on port 8080 and echoes UDP there."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client, Manifest, Manifests

from .manifests import RESTRICTED, Labels, image, named
from .states import is_ready, name_of

PORT = 8080
HEALTH = {"httpGet": {"path": "/healthz", "port": PORT}, "periodSeconds": 1}
READY = {"httpGet": {"path": "/readyz", "port": PORT}, "periodSeconds": 1}


def tool(*arguments: str, **fields: object) -> Manifest:
    """A container that runs podtool with these arguments. Skips the test where the nodes do not have it."""
    reference = image("podtool")
    if not reference:
        pytest.skip("needs the image podtool on every node; bundles of idcbench bring it")
    made = {"name": "main", "image": reference, "args": list(arguments), "imagePullPolicy": "IfNotPresent"}
    return made | {"securityContext": RESTRICTED} | fields


def server(
    name: str, *, node: str = "", labels: Labels | None = None, spec: Manifest | None = None, **fields: object
) -> Manifest:
    """A pod that serves and is ready when it says so; on ``node`` when that is given, past the scheduler."""
    main = tool("serve", **({"readinessProbe": READY} | fields))
    placed = {"nodeName": node} if node else {}
    whole = {"containers": [main], "terminationGracePeriodSeconds": 1} | placed | (spec or {})
    return named("Pod", name, labels=labels or {"app": name}, spec=whole)


def started(client: Client, namespace: str, *pods: Manifest) -> Manifests:
    """Create pods and wait until all are ready; as the server has them then."""
    for each in pods:
        client.create(each, namespace)
    return [
        client.wait_for("Pod", name_of(each), is_ready, namespace, timeout_s=90.0, what="ready") for each in pods
    ]  # fmt: skip


def address_of(pod: Manifest) -> str:
    return str(pod["status"]["podIP"])


def fetched(client: Client, namespace: str, pod: str, url: str) -> str:
    """What ``pod`` gets when it fetches ``url``, without the end of the line."""
    return client.ask_pod(pod, namespace, f"/fetch?url={url}").strip()
