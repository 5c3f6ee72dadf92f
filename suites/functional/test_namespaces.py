"""Namespaces: what they are born with, what they keep apart, and that they go with all that is in them."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client

from .conftest import Scratch
from .manifests import config_map, deployment, named, service
from .refusal import refused
from .states import all_ready, phase_is

KEPT = "idcbench.io/kept"
CONTENT = ("Deployment", "ReplicaSet", "Pod", "Service", "EndpointSlice", "ConfigMap", "Secret", "ServiceAccount")


@pytest.mark.idc(proves="controller")
def test_new_namespace_has_what_pods_need(idc_client: Client, unique: str, scratch: Scratch) -> None:
    """Every new namespace gets a default service account and the CA by which pods know the API server."""
    scratch.create(named("Namespace", unique))
    idc_client.wait_for("ServiceAccount", "default", bool, unique)
    found = idc_client.wait_for("ConfigMap", "kube-root-ca.crt", bool, unique)
    assert found["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")


@pytest.mark.idc(proves="controller")
def test_deleted_namespace_takes_everything_with_it(idc_client: Client, namespace: str) -> None:
    """A deleted namespace ends with nothing in it, and one of the same name begins empty."""
    idc_client.create(deployment("web", replicas=2), namespace)
    idc_client.create(service("web", app="web"), namespace)
    idc_client.create(named("Secret", "door", data={}), namespace)
    idc_client.wait_for_list("Pod", all_ready(2), namespace)
    idc_client.delete("Namespace", namespace)
    idc_client.wait_gone("Namespace", namespace)
    left = {kind: idc_client.list(kind, namespace) for kind in CONTENT}
    assert not any(left.values()), left
    idc_client.create(named("Namespace", namespace))
    assert idc_client.list("Deployment", namespace) == []


@pytest.mark.idc(proves="controller", negative=True)
def test_namespace_on_its_way_out_takes_nothing_new(idc_client: Client, namespace: str) -> None:
    """While a namespace is being deleted nothing can be created in it, and it waits for what has a finalizer."""
    idc_client.create(config_map("last", meta={"finalizers": [KEPT]}), namespace)
    idc_client.delete("Namespace", namespace)
    idc_client.wait_for("Namespace", namespace, phase_is("Terminating"), what="terminating")
    with refused("Forbidden", saying="being terminated"):
        idc_client.create(config_map("late"), namespace)
    assert idc_client.get("Namespace", namespace)["status"]["phase"] == "Terminating"
    idc_client.patch("ConfigMap", "last", {"metadata": {"finalizers": None}}, namespace)
    idc_client.wait_gone("Namespace", namespace)


@pytest.mark.idc(proves="api", negative=True)
def test_object_needs_a_namespace_that_exists(idc_client: Client, unique: str) -> None:
    """An object for a namespace that does not exist is refused, and the namespace is not made by the way."""
    with refused("NotFound", saying=unique):
        idc_client.create(config_map("lost"), unique)
    assert idc_client.find("Namespace", unique) is None


@pytest.mark.idc(proves="api", negative=True)
@pytest.mark.parametrize("name", ["default", "kube-system"])
def test_namespaces_of_the_system_cannot_be_deleted(idc_client: Client, name: str) -> None:
    """The deletion of a namespace that Kubernetes itself needs is refused."""
    with refused("Forbidden", saying="may not be deleted"):
        idc_client.raw("DELETE", idc_client.path("Namespace", name), query={"dryRun": "All"})


@pytest.mark.idc(proves="api")
def test_namespaces_keep_equal_names_apart(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """Objects of the same name in two namespaces are two objects."""
    other = f"{namespace}-b"
    scratch.create(named("Namespace", other))
    for where in (namespace, other):
        idc_client.create(config_map("same", data={"where": where}), where)
    idc_client.delete("ConfigMap", "same", other)
    assert idc_client.get("ConfigMap", "same", namespace)["data"] == {"where": namespace}
