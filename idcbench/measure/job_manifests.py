"""A load as objects of Kubernetes: the plan in a ConfigMap, and an Indexed Job whose pods send it together."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from .job_plan import JobPlan
from .load_job import COMPLETIONS, PLAN, START

READY_S = 60.0
"""From making the Job to its start: pods are scheduled, images pulled, connections opened meanwhile."""
SLACK_S = 60.0
FOLDER = "/etc/idcbench"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What pod security ``restricted`` asks for; the user is the one that images without an account call nobody."""


def load_manifests(
    plan: JobPlan, *, name: str, namespace: str, image: str, pods: int, start_unix_s: float, service_account: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ConfigMap and the Job, to be made in this order. Who may do what the plan does is the service account's.

    ``image`` has idcbench in it. Every pod asks for a core of its own, is spread over the nodes and runs once: a pod
    that failed makes the load fail, as a second try would send at other times. Each prints its line on stdout.
    """
    metadata = {
        "namespace": namespace,
        "labels": {"app.kubernetes.io/managed-by": "idcbench", "idcbench.io/load": name},
    }
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **metadata},
        "data": {"plan.json": msgspec.json.encode(plan).decode()},
    }
    last_s = float(plan.arrivals.duration_s) + plan.deadline_s + READY_S + SLACK_S
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, **metadata},
        "spec": {
            "completionMode": "Indexed",
            "completions": pods,
            "parallelism": pods,
            "backoffLimit": 0,
            "activeDeadlineSeconds": math.ceil(last_s),
            "template": {
                "metadata": {"labels": metadata["labels"]},
                "spec": _pod(name, image, pods, start_unix_s, service_account),
            },
        },
    }
    return config, job


def _pod(name: str, image: str, pods: int, start_unix_s: float, service_account: str) -> dict[str, Any]:
    values = {COMPLETIONS: str(pods), START: f"{start_unix_s:.6f}", PLAN: f"{FOLDER}/plan.json"}
    return {
        "restartPolicy": "Never",
        "serviceAccountName": service_account,
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"idcbench.io/load": name}},
            }
        ],
        "containers": [
            {
                "name": "load",
                "image": image,
                "imagePullPolicy": "IfNotPresent",  # one that was brought to the nodes is nowhere to be pulled
                "command": ["python3", "-m", "idcbench.measure.load_job"],
                "securityContext": RESTRICTED,
                "env": [{"name": key, "value": value} for key, value in values.items()],
                "resources": {"requests": {"cpu": "1", "memory": "256Mi"}},
                "volumeMounts": [{"name": "plan", "mountPath": FOLDER, "readOnly": True}],
            }
        ],
        "volumes": [{"name": "plan", "configMap": {"name": name}}],
    }
