"""Volumes in real pods: what is written there is there for the next pod, and what is configured arrives."""

from __future__ import annotations

from typing import Any

import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client
from idcbench.kube.waiting import wait_until

from .conftest import Scratch
from .manifests import claim, config_map, named, storage_class, using_claim
from .tool import server, started

pytestmark = pytest.mark.idc(proves="kubelet", needs=[Capability.REAL_PODS])
MOUNT: dict[str, Any] = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
REFRESHED_S = 150.0
"""kubelet looks at ConfigMaps once a minute, with some spread, and may hold what it knows for as long again."""


@pytest.mark.parametrize("kind", ["hostPath", "local"])
def test_what_a_pod_wrote_into_a_volume_is_there_for_the_next(
    idc_client: Client, namespace: str, scratch: Scratch, unique: str, nodes: list[str], kind: str
) -> None:
    """A PersistentVolume on a node's disk keeps its files when the pod goes; the next pod is placed on that node."""
    scratch.create(storage_class(unique, binding="WaitForFirstConsumer"))
    node = nodes[-1]
    source = {"path": "/var/tmp"} | ({"type": "Directory"} if kind == "hostPath" else {})
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]
    spec = {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": unique,
        "persistentVolumeReclaimPolicy": "Retain", kind: source,
        "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
    }  # fmt: skip
    scratch.create(named("PersistentVolume", unique, spec=spec))
    idc_client.create(claim("data", storage_class=unique), namespace)
    file = f"/data/{unique}"
    started(idc_client, namespace, server("first", spec=using_claim("data"), **MOUNT))
    idc_client.ask_pod("first", namespace, f"/put?file={file}", method="POST", body="kept")
    idc_client.delete("Pod", "first", namespace)
    idc_client.wait_gone("Pod", "first", namespace)
    [second] = started(idc_client, namespace, server("second", spec=using_claim("data"), **MOUNT))
    assert second["spec"]["nodeName"] == node
    assert idc_client.ask_pod("second", namespace, f"/read?file={file}").strip() == "kept"
    idc_client.ask_pod("second", namespace, f"/put?file={file}", method="POST")


def test_config_map_and_secret_arrive_as_files_and_variables(idc_client: Client, namespace: str) -> None:
    """Keys of a ConfigMap are files, a Secret is a variable, and what the pod is called is told to it."""
    idc_client.create(config_map("settings", data={"colour": "red"}), namespace)
    idc_client.create(named("Secret", "door", stringData={"word": "sesame"}), namespace)
    environment = [
        {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "door", "key": "word"}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    volumes = {"volumes": [{"name": "data", "configMap": {"name": "settings"}}]}
    started(idc_client, namespace, server("web", spec=volumes, env=environment, **MOUNT))
    assert idc_client.ask_pod("web", namespace, "/read?file=/data/colour").strip() == "red"
    assert idc_client.ask_pod("web", namespace, "/env?name=WORD").strip() == "sesame"
    assert idc_client.ask_pod("web", namespace, "/env?name=POD").strip() == "web"


def test_a_changed_config_map_reaches_a_running_pod(idc_client: Client, namespace: str) -> None:
    """A file of a ConfigMap changes in a pod that runs, without a restart."""
    idc_client.create(config_map("settings", data={"colour": "red"}), namespace)
    volumes = {"volumes": [{"name": "data", "configMap": {"name": "settings"}}]}
    started(idc_client, namespace, server("web", spec=volumes, **MOUNT))
    idc_client.patch("ConfigMap", "settings", {"data": {"colour": "blue"}}, namespace)

    def blue() -> tuple[bool | None, str]:
        found = idc_client.ask_pod("web", namespace, "/read?file=/data/colour").strip()
        return (True if found == "blue" else None), found

    wait_until("the file to change", blue, timeout_s=REFRESHED_S)


def test_token_of_a_pod_is_good_at_the_api_server(idc_client: Client, namespace: str) -> None:
    """The token that kubelet puts into a pod is one of its service account."""
    started(idc_client, namespace, server("web"))
    token = idc_client.ask_pod("web", namespace, "/read?file=/var/run/secrets/kubernetes.io/serviceaccount/token")
    review = named("TokenReview", "", api_version="authentication.k8s.io/v1", spec={"token": token.strip()})
    answer = idc_client.raw("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body=review).json()
    assert answer["status"]["user"]["username"] == f"system:serviceaccount:{namespace}:default"
