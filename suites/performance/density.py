"""The objects of kube-burner's density workloads, for plain Kubernetes, and the plan by which they are created."""

from __future__ import annotations

import msgspec
import numpy as np

from idcbench.kube.crud import Manifest
from idcbench.measure.calls import NUMBER, Call
from idcbench.measure.loader import LoadPlan

from .startup import pod

QPS = BURST = 20
"""kube-burner's: a token bucket of so many a second that is full at the beginning."""
DEPLOYMENTS = (("server", 3, 2), ("client", 2, 2))
"""Of each sort how many, and the replicas of each; the counts of cluster-density-v2 (kube-burner/kube-burner-ocp)."""
SERVICES, SECRETS, CONFIG_MAPS, NETWORK_POLICIES = 5, 10, 10, 3
CHARACTERS = 2048
PODS_A_NAMESPACE = sum(count * replicas for _, count, replicas in DEPLOYMENTS)
_PATHS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Service": "/api/v1/namespaces/{}/services",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
}


def bucket_times(count: int, *, qps: float = QPS, burst: int = BURST) -> np.ndarray:
    """When a client with such a token bucket sends: the burst at once, then evenly; in ns from the beginning."""
    waits = np.maximum(np.arange(count) - (burst - 1), 0)
    return np.rint(waits / qps * 1e9).astype(np.int64)


def cluster_density(namespaces: list[str]) -> LoadPlan:
    """All objects of the shape ``cluster-density``, namespace by namespace, each namespace's in the order of
    :func:`templates`. Raises ``ValueError`` for more namespaces than a load has room for.
    """
    wanted = [(namespace, one, count) for namespace in namespaces for one, count in templates()]
    if len(wanted) > 256:
        raise ValueError(f"{len(namespaces)} namespaces are too many for one load; {256 // len(templates())} fit")
    calls = tuple(
        Call(
            name=f"{one['kind']} in {namespace}", method="POST", path=_PATHS[one["kind"]].format(namespace),
            body=msgspec.json.encode(one).decode(),
        )
        for namespace, one, _ in wanted
    )  # fmt: skip
    sorts = np.repeat(np.arange(len(calls), dtype=np.uint8), [count for _, _, count in wanted])
    return LoadPlan(planned_ns=bucket_times(len(sorts)), calls=calls, connections=QPS, sorts=sorts)


def templates() -> list[tuple[Manifest, int]]:
    """What one namespace holds, and how many of each; names end with the number of the request that creates them.

    Without build, image stream and routes, which only OpenShift has.
    """
    service = {"selector": {"app": "server"}, "ports": [{"port": 8080}]}
    policy = {"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress"], "ingress": []}
    return [
        (_named("Secret", "secret") | {"stringData": {"key1": "a" * CHARACTERS}}, SECRETS),
        (_named("ConfigMap", "configmap") | {"data": {"key1": "a" * CHARACTERS}}, CONFIG_MAPS),
        (_named("Service", "service") | {"spec": service}, SERVICES),
        (_named("NetworkPolicy", "policy", "networking.k8s.io/v1") | {"spec": policy}, NETWORK_POLICIES),
        *((_deployment(app, replicas), count) for app, count, replicas in DEPLOYMENTS),
    ]


def _deployment(app: str, replicas: int) -> Manifest:
    labels = {"app": app, "name": f"{app}-{NUMBER}"}
    template = {"metadata": {"labels": labels}, "spec": pod("")["spec"]}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return _named("Deployment", app, "apps/v1") | {"spec": spec}


def _named(kind: str, name: str, api_version: str = "v1") -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": f"{name}-{NUMBER}"}}
