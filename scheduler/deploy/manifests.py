"""The scheduler as a Deployment: two replicas on two nodes, of which one leads and the other is warm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .roles import LABELS, NAME, Manifest, reader_of_metrics, roles, subject

USER = 65532
"""The user of the image; nobody on a host has this number."""
PORT = 10260


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What can be chosen. ``configuration`` is the text of a configuration file, empty for the defaults."""

    image: str
    namespace: str = "kube-system"
    replicas: int = 2
    scheduler_name: str = "idcbench"
    lease: str = NAME
    profile: str = "default"
    configuration: str = ""


def manifests(deployed: Deployed) -> list[Manifest]:
    """Everything, in an order in which it can be applied."""
    whom = subject("ServiceAccount", NAME, namespace=deployed.namespace)
    return [
        _object("v1", "ServiceAccount", deployed) | {"automountServiceAccountToken": False},
        *roles(whom, lease=deployed.lease, namespace=deployed.namespace),
        reader_of_metrics(),
        *([_configuration(deployed)] if deployed.configuration else []),
        _budget(deployed),
        _deployment(deployed),
    ]


def _object(version: str, kind: str, deployed: Deployed) -> Manifest:
    about = {"name": NAME, "namespace": deployed.namespace, "labels": dict(LABELS)}
    return {"apiVersion": version, "kind": kind, "metadata": about}


def _selector() -> Manifest:
    return {"matchLabels": {"app.kubernetes.io/name": NAME}}


def _configuration(deployed: Deployed) -> Manifest:
    return _object("v1", "ConfigMap", deployed) | {"data": {"scheduler.yaml": deployed.configuration}}


def _budget(deployed: Deployed) -> Manifest:
    spec = {"maxUnavailable": 1, "selector": _selector()}
    return _object("policy/v1", "PodDisruptionBudget", deployed) | {"spec": spec}


def _deployment(deployed: Deployed) -> Manifest:
    """One pod is replaced after the other: a third beside two would find no third node where there are two."""
    rolling = {"maxSurge": 0, "maxUnavailable": 1}
    spec = {
        "replicas": deployed.replicas,
        "selector": _selector(),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "template": {"metadata": {"labels": dict(LABELS)}, "spec": _pod(deployed)},
    }
    return _object("apps/v1", "Deployment", deployed) | {"spec": spec}


def _pod(deployed: Deployed) -> Manifest:
    apart = {"labelSelector": _selector(), "topologyKey": "kubernetes.io/hostname"}
    spec: Manifest = {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": True,
        "priorityClassName": "system-cluster-critical",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}},
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}],
        "terminationGracePeriodSeconds": 30,
        "containers": [_container(deployed)],
    }
    if deployed.configuration:
        spec["volumes"] = [{"name": "configuration", "configMap": {"name": NAME}}]
    return spec


def _container(deployed: Deployed) -> Manifest:
    container: Manifest = {
        "name": "scheduler",
        "image": deployed.image,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments(deployed),
        "ports": [{"name": "https", "containerPort": PORT}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}},
        "startupProbe": _probe("/livez", period_s=2, failures=60),
        "livenessProbe": _probe("/livez", period_s=10, failures=6),
        "readinessProbe": _probe("/readyz", period_s=5, failures=3),
    }
    if deployed.configuration:
        container["volumeMounts"] = [{"name": "configuration", "mountPath": "/etc/idcbench", "readOnly": True}]
    return container


def arguments(deployed: Deployed) -> list[str]:
    """What comes after ``idcbench scheduler run``, the image's entry point."""
    return [
        *([f"--scheduler-name={deployed.scheduler_name}"] if not deployed.configuration else []),
        f"--lease-name={deployed.lease}",
        f"--lease-namespace={deployed.namespace}",
        f"--profile={deployed.profile}",
        f"--secure-port={PORT}",
        *(["--config=/etc/idcbench/scheduler.yaml"] if deployed.configuration else []),
    ]


def _probe(path: str, *, period_s: int, failures: int) -> dict[str, Any]:
    get = {"path": path, "port": "https", "scheme": "HTTPS"}
    return {"httpGet": get, "periodSeconds": period_s, "failureThreshold": failures, "timeoutSeconds": 5}
