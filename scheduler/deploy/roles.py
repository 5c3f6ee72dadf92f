"""The least that the scheduler has to be allowed, as RBAC objects.

Reading is list and watch of what :mod:`..service.resources` names, and pods one by one. Writing is bindings, the
status of pods, their deletion in preemption, what a volume binding needs, events, and its own Lease. Against
kube-scheduler's role it lacks updating pods, creating resource claims, and everything about other leases.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..service.resources import SOURCES

NAME = "idcbench-scheduler"
LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/managed-by": "idcbench"}
READER = "extension-apiserver-authentication-reader"
"""The API server's own role to read which CA signs clients and front proxies (in kube-system)."""

Manifest = dict[str, Any]


def subject(kind: Literal["User", "ServiceAccount"], name: str, *, namespace: str = "") -> Manifest:
    """Whom the roles are given."""
    if kind == "User":
        return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def roles(whom: Manifest, *, lease: str, namespace: str) -> list[Manifest]:
    """All roles and bindings. ``lease`` in ``namespace`` is the one that it leads by."""
    reader = _object("RoleBinding", f"{NAME}-authentication-reader", "kube-system")
    return [
        _object("ClusterRole", NAME) | {"rules": cluster_rules()},
        _binding("ClusterRoleBinding", NAME, whom, role=("ClusterRole", NAME)),
        _object("Role", NAME, namespace) | {"rules": lease_rules(lease)},
        _binding("RoleBinding", NAME, whom, role=("Role", NAME), namespace=namespace),
        reader | {"roleRef": _reference("Role", READER), "subjects": [whom]},
    ]


def cluster_rules() -> list[Manifest]:
    """What it may do in the whole cluster."""
    read: dict[str, set[str]] = {}
    for source in SOURCES:
        parts = source.path.strip("/").split("/")
        read.setdefault("" if parts[0] == "api" else parts[1], set()).add(parts[-1])
    rules = [_rule(group, sorted(names), "list", "watch") for group, names in sorted(read.items())]
    return [
        *rules,
        _rule("", ["pods"], "get", "delete"),
        _rule("", ["pods/binding"], "create"),
        _rule("", ["pods/status"], "patch"),
        _rule("", ["persistentvolumeclaims", "persistentvolumes"], "patch"),
        _rule("events.k8s.io", ["events"], "create", "patch"),
        _rule("authentication.k8s.io", ["tokenreviews"], "create"),
        _rule("authorization.k8s.io", ["subjectaccessreviews"], "create"),
    ]


def lease_rules(lease: str) -> list[Manifest]:
    """What it may do with leases: make one (no rule can name an object that is not there), and keep its own."""
    group = "coordination.k8s.io"
    own = _rule(group, ["leases"], "get", "list", "watch", "update") | {"resourceNames": [lease]}
    return [_rule(group, ["leases"], "create"), own]


def reader_of_metrics() -> Manifest:
    """A ClusterRole for whoever is to scrape the metrics, or to be told why a pod waits."""
    rule = {"nonResourceURLs": ["/metrics", "/metrics/slis", "/debug/explain/*"], "verbs": ["get"]}
    return _object("ClusterRole", f"{NAME}-reader") | {"rules": [rule]}


def _rule(group: str, resources: Sequence[str], *verbs: str) -> Manifest:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _object(kind: str, name: str, namespace: str = "") -> Manifest:
    about: Manifest = {"name": name, "labels": dict(LABELS)}
    if namespace:
        about["namespace"] = namespace
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": about}


def _binding(kind: str, name: str, whom: Manifest, *, role: tuple[str, str], namespace: str = "") -> Manifest:
    return _object(kind, name, namespace) | {"roleRef": _reference(*role), "subjects": [whom]}


def _reference(kind: str, name: str) -> Manifest:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
