"""Writing objects: nothing is lost to a race, and a request that is wrong changes nothing."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client

from .manifests import config_map, deployment
from .refusal import refused
from .states import name_of

pytestmark = pytest.mark.idc(proves="api")


@pytest.mark.idc(negative=True)
def test_update_of_an_outdated_object_is_refused(idc_client: Client, namespace: str) -> None:
    """Of two writers that read the same version the second is refused, so that no change is lost."""
    read = idc_client.create(config_map("shared", data={"k": "read"}), namespace)
    idc_client.replace(read | {"data": {"k": "first"}}, namespace)
    with refused("Conflict", saying="the object has been modified"):
        idc_client.replace(read | {"data": {"k": "second"}}, namespace)
    assert idc_client.get("ConfigMap", "shared", namespace)["data"] == {"k": "first"}


@pytest.mark.idc(negative=True)
def test_name_is_given_once(idc_client: Client, namespace: str) -> None:
    """A second object of the same kind and name is refused, and the first stays as it was."""
    idc_client.create(config_map("one", data={"k": "first"}), namespace)
    with refused("AlreadyExists"):
        idc_client.create(config_map("one", data={"k": "second"}), namespace)
    assert idc_client.get("ConfigMap", "one", namespace)["data"] == {"k": "first"}


def test_generated_names_differ(idc_client: Client, namespace: str) -> None:
    """Objects that ask for a generated name get names of their own."""
    generated = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "run-"}}
    names = {name_of(idc_client.create(generated, namespace)) for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("run-") for name in names)


@pytest.mark.idc(negative=True)
def test_dry_run_changes_nothing(idc_client: Client, namespace: str) -> None:
    """A dry run answers as the real request would, but stores nothing."""
    answer = idc_client.create(deployment("web", replicas=2), namespace, dry_run=True)
    assert answer["metadata"]["uid"]
    assert answer["spec"]["strategy"]["type"] == "RollingUpdate"
    assert idc_client.find("Deployment", "web", namespace) is None


@pytest.mark.idc(negative=True)
def test_unknown_field_is_refused_when_asked_to(idc_client: Client, namespace: str) -> None:
    """With strict validation a misspelt field is refused instead of dropped."""
    path = idc_client.path("Deployment", namespace=namespace)
    wrong = deployment("web", replica=3)
    with refused("BadRequest", saying='unknown field "spec.replica"'):
        idc_client.raw("POST", path, body=wrong, query={"fieldValidation": "Strict"})
    assert idc_client.find("Deployment", "web", namespace) is None


@pytest.mark.idc(negative=True)
def test_json_patch_applies_whole_or_not_at_all(idc_client: Client, namespace: str) -> None:
    """A JSON patch whose test fails changes nothing, also not by its operations before the test."""
    idc_client.create(config_map("shared", data={"k": "v"}), namespace)
    operations = [
        {"op": "add", "path": "/data/new", "value": "x"},
        {"op": "test", "path": "/data/k", "value": "something else"},
    ]
    with refused("Invalid"):
        idc_client.patch("ConfigMap", "shared", operations, namespace, patch_type="json")
    assert idc_client.get("ConfigMap", "shared", namespace)["data"] == {"k": "v"}


@pytest.mark.idc(negative=True)
def test_deletion_of_another_object_of_that_name_is_refused(idc_client: Client, namespace: str) -> None:
    """A deletion that names the uid it means does not hit a newer object of the same name."""
    made = idc_client.create(config_map("one"), namespace)
    path = idc_client.path("ConfigMap", "one", namespace)
    other = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    with refused("Conflict", saying="UID"):
        idc_client.raw("DELETE", path, body=other)
    assert idc_client.get("ConfigMap", "one", namespace)["metadata"]["uid"] == made["metadata"]["uid"]


@pytest.mark.idc(negative=True)
def test_selector_of_a_workload_is_fixed(idc_client: Client, namespace: str) -> None:
    """The selector of a Deployment cannot be changed, so that it never loses its pods."""
    idc_client.create(deployment("web", replicas=0), namespace)
    spec = {"selector": {"matchLabels": {"app": "other"}}, "template": {"metadata": {"labels": {"app": "other"}}}}
    with refused("Invalid", saying="immutable"):
        idc_client.patch("Deployment", "web", {"spec": spec}, namespace)
