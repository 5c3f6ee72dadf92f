"""Every field of a pod's spec in the API of 1.37, and what becomes of it here: none is passed over unawares."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from idcbench.scheduler.objects import Container
from idcbench.scheduler.objects.pod import PodSpec

Handling = Literal["decided", "declined", "features", "held back", "no bearing"]
"""``decided``: filters, scores, requests and preemption weigh it. ``held back``: the queue keeps the pod until it is
settled. ``features``: it asks for features that a node declares. ``no bearing``: kube-scheduler does not look at it
either; what it does to placement, admission has done before (as ``runtimeClassName`` by overhead and node selector).
"""

POD_SPEC: Mapping[str, Handling] = {
    "affinity": "decided",
    "containers": "decided",
    "initContainers": "decided",
    "nodeName": "decided",
    "nodeSelector": "decided",
    "overhead": "decided",
    "preemptionPolicy": "decided",
    "priority": "decided",
    "resources": "decided",
    "schedulerName": "decided",
    "tolerations": "decided",
    "topologySpreadConstraints": "decided",
    "volumes": "decided",
    "resourceClaims": "declined",
    "hostNetwork": "features",
    "hostUsers": "features",
    "schedulingGates": "held back",
    "schedulingGroup": "held back",
    "activeDeadlineSeconds": "no bearing",
    "automountServiceAccountToken": "no bearing",
    "dnsConfig": "no bearing",
    "dnsPolicy": "no bearing",
    "enableServiceLinks": "no bearing",
    "ephemeralContainers": "no bearing",
    "evictionResponders": "no bearing",
    "hostAliases": "no bearing",
    "hostIPC": "no bearing",
    "hostPID": "no bearing",
    "hostname": "no bearing",
    "hostnameOverride": "no bearing",
    "imagePullSecrets": "no bearing",
    "os": "no bearing",
    "priorityClassName": "no bearing",
    "readinessGates": "no bearing",
    "restartPolicy": "no bearing",
    "runtimeClassName": "no bearing",
    "securityContext": "no bearing",
    "serviceAccount": "no bearing",
    "serviceAccountName": "no bearing",
    "setHostnameAsFQDN": "no bearing",
    "shareProcessNamespace": "no bearing",
    "subdomain": "no bearing",
    "terminationGracePeriodSeconds": "no bearing",
}

CONTAINER: Mapping[str, Handling] = {
    "image": "decided",
    "name": "decided",
    "ports": "decided",
    "resources": "decided",
    "restartPolicy": "decided",
    "restartPolicyRules": "features",
    "volumeMounts": "features",
    "args": "no bearing",
    "command": "no bearing",
    "env": "no bearing",
    "envFrom": "no bearing",
    "imagePullPolicy": "no bearing",
    "lifecycle": "no bearing",
    "livenessProbe": "no bearing",
    "readinessProbe": "no bearing",
    "resizePolicy": "no bearing",
    "securityContext": "no bearing",
    "startupProbe": "no bearing",
    "stdin": "no bearing",
    "stdinOnce": "no bearing",
    "terminationMessagePath": "no bearing",
    "terminationMessagePolicy": "no bearing",
    "tty": "no bearing",
    "volumeDevices": "no bearing",
    "workingDir": "no bearing",
}

API = Path.home() / "go/pkg/mod/k8s.io/api@v0.37.2/core/v1/types.go"


def in_the_api(struct: str) -> set[str]:
    """The JSON names of a type's fields, from the source of the API."""
    if not API.exists():
        pytest.skip(f"the source of the API is not here: {API}")
    body = re.search(rf"^type {struct} struct {{(.*?)^}}", API.read_text(), re.DOTALL | re.MULTILINE)
    assert body is not None
    return set(re.findall(r'^\t\w.*json:"(\w+)', body[1], re.MULTILINE))


@pytest.mark.parametrize(("struct", "handled"), [("PodSpec", POD_SPEC), ("Container", CONTAINER)])
def test_every_field_is_accounted_for(struct: str, handled: Mapping[str, Handling]) -> None:
    assert set(handled) == in_the_api(struct)


@pytest.mark.parametrize(("typed", "handled"), [(PodSpec, POD_SPEC), (Container, CONTAINER)])
def test_what_bears_on_placement_is_read(typed: type[msgspec.Struct], handled: Mapping[str, Handling]) -> None:
    read = {field.encode_name for field in msgspec.structs.fields(typed)}
    assert {name for name, handling in handled.items() if handling != "no bearing"} <= read
