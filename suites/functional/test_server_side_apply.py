"""Server-side apply: several writers share an object, and nobody overwrites another unasked."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client, Manifest

from .manifests import config_map, deployment
from .refusal import refused

pytestmark = pytest.mark.idc(proves="api")


def apply_data(client: Client, namespace: str, manager: str, *, force: bool = False, **data: str) -> Manifest:
    return client.apply(config_map("shared", data=data), namespace, field_manager=manager, force=force)


def managers(found: Manifest) -> dict[str, list[str]]:
    """Which keys of ``data`` each manager owns."""
    entries = {each["manager"]: each["fieldsV1"].get("f:data", {}) for each in found["metadata"]["managedFields"]}
    return {manager: sorted(key.removeprefix("f:") for key in keys if key != ".") for manager, keys in entries.items()}


def test_apply_creates_and_changes(idc_client: Client, namespace: str) -> None:
    """Applied the first time an object is created, applied again it is changed, unchanged nothing is written."""
    first = apply_data(idc_client, namespace, "ann", k="1")
    second = apply_data(idc_client, namespace, "ann", k="2")
    again = apply_data(idc_client, namespace, "ann", k="2")
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    assert second["data"] == {"k": "2"}
    assert again["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_apply_merges_what_several_managers_own(idc_client: Client, namespace: str) -> None:
    """Two managers each own the keys that they applied, and both keys are there."""
    apply_data(idc_client, namespace, "ann", a="1")
    found = apply_data(idc_client, namespace, "bob", b="2")
    assert found["data"] == {"a": "1", "b": "2"}
    assert managers(found) == {"ann": ["a"], "bob": ["b"]}


@pytest.mark.idc(negative=True)
def test_apply_over_another_managers_field_is_refused(idc_client: Client, namespace: str) -> None:
    """A field that another manager owns with another value is a conflict, which names that manager."""
    apply_data(idc_client, namespace, "ann", k="hers")
    with refused("Conflict", saying='conflict with "ann"'):
        apply_data(idc_client, namespace, "bob", k="his")
    assert idc_client.get("ConfigMap", "shared", namespace)["data"] == {"k": "hers"}


def test_forced_apply_takes_the_field_over(idc_client: Client, namespace: str) -> None:
    """With force the field gets the new value, and its owner is the one who forced it."""
    apply_data(idc_client, namespace, "ann", k="hers", other="kept")
    found = apply_data(idc_client, namespace, "bob", force=True, k="his")
    assert found["data"] == {"k": "his", "other": "kept"}
    assert managers(found) == {"ann": ["other"], "bob": ["k"]}


def test_apply_removes_what_is_left_out(idc_client: Client, namespace: str) -> None:
    """A key that its manager does not apply any more is removed, a key of another manager stays."""
    apply_data(idc_client, namespace, "ann", a="1", b="2")
    apply_data(idc_client, namespace, "bob", c="3")
    assert apply_data(idc_client, namespace, "ann", a="1")["data"] == {"a": "1", "c": "3"}


@pytest.mark.idc(negative=True)
def test_apply_leaves_the_scale_to_whoever_scales(idc_client: Client, namespace: str) -> None:
    """A Deployment applied without replicas keeps the number that another set."""
    manifest = deployment("web")
    del manifest["spec"]["replicas"]
    idc_client.apply(manifest, namespace, field_manager="ann")
    idc_client.scale("Deployment", "web", 4, namespace)
    manifest["spec"]["minReadySeconds"] = 1
    found = idc_client.apply(manifest, namespace, field_manager="ann")
    assert found["spec"]["replicas"] == 4
    assert found["spec"]["minReadySeconds"] == 1


def test_apply_merges_lists_by_key(idc_client: Client, namespace: str) -> None:
    """Two managers apply a port each to the same container, and both ports are there."""
    for manager, port in (("ann", 80), ("bob", 443)):
        manifest = deployment("web")
        [main] = manifest["spec"]["template"]["spec"]["containers"]
        main["ports"] = [{"containerPort": port, "protocol": "TCP"}]
        found = idc_client.apply(manifest, namespace, field_manager=manager)
    [main] = found["spec"]["template"]["spec"]["containers"]
    assert sorted(each["containerPort"] for each in main["ports"]) == [80, 443]
