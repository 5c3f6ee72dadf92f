"""The objects of kube-burner's density workloads, for plain Kubernetes, and the plan by which they are created."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from idcbench.kube.crud import Manifest
from idcbench.measure.calls import Call
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
    """All objects of the shape ``cluster-density``, namespace by namespace, in the order of :func:`objects`."""
    wanted = [(one["kind"], namespace, one) for namespace in namespaces for one in objects()]
    calls = tuple(
        Call(
            name=f"{number}", method="POST", path=_PATHS[kind].format(namespace), body=msgspec.json.encode(one).decode()
        )
        for number, (kind, namespace, one) in enumerate(wanted)
    )
    sorts = np.arange(len(calls), dtype=np.uint8)
    return LoadPlan(planned_ns=bucket_times(len(calls)), calls=calls, connections=QPS, sorts=sorts)


def objects() -> Iterator[Manifest]:
    """What one namespace holds. Without build, image stream and routes, which only OpenShift has."""
    for kind, count in (("Secret", SECRETS), ("ConfigMap", CONFIG_MAPS)):
        for number in range(count):
            yield _named(kind, f"{kind.lower()}-{number}") | _filled(kind)
    for number in range(SERVICES):
        spec = {"selector": {"app": "server"}, "ports": [{"port": 8080}]}
        yield _named("Service", f"service-{number}") | {"spec": spec}
    for number in range(NETWORK_POLICIES):
        spec = {"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress"], "ingress": []}
        yield _named("NetworkPolicy", f"policy-{number}", "networking.k8s.io/v1") | {"spec": spec}
    for app, count, replicas in DEPLOYMENTS:
        for number in range(count):
            yield _deployment(app, f"{app}-{number}", replicas)


def _filled(kind: str) -> Manifest:
    return {"stringData" if kind == "Secret" else "data": {"key1": "a" * CHARACTERS}}


def _deployment(app: str, name: str, replicas: int) -> Manifest:
    labels = {"app": app, "name": name}
    template = {"metadata": {"labels": labels}, "spec": pod("")["spec"]}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return _named("Deployment", name, "apps/v1") | {"spec": spec}


def _named(kind: str, name: str, api_version: str = "v1") -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}
