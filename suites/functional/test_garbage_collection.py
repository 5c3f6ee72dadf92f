"""Owners, dependents and finalizers: what goes together, and what stays until somebody is done with it."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client, Manifest

from .manifests import config_map, deployment, owned_by
from .refusal import refused
from .states import all_ready, is_going, rolled_out

HOLD = "idcbench.io/hold"


def owner_with_dependent(client: Client, namespace: str, *, blocking: bool = False, held: bool = False) -> Manifest:
    """Two ConfigMaps, of which ``owner`` owns ``dependent``; ``held`` by a finalizer."""
    owner = client.create(config_map("owner"), namespace)
    meta = owned_by(owner, blocking=blocking) | ({"finalizers": [HOLD]} if held else {})
    client.create(config_map("dependent", meta=meta), namespace)
    return owner


def release(client: Client, name: str, namespace: str) -> None:
    """Take the finalizers away."""
    client.patch("ConfigMap", name, {"metadata": {"finalizers": None}}, namespace)


@pytest.mark.idc(proves="controller")
def test_dependents_go_with_their_owner(idc_client: Client, namespace: str) -> None:
    """When an owner is deleted, what it owns is deleted too, over several generations."""
    idc_client.create(deployment("web", replicas=2), namespace)
    idc_client.wait_for_list("Pod", all_ready(2), namespace)
    idc_client.delete("Deployment", "web", namespace)
    for kind in ("ReplicaSet", "Pod"):
        idc_client.wait_for_list(kind, lambda left: not left, namespace, what="empty")


@pytest.mark.idc(proves="controller", negative=True)
def test_orphaned_dependents_stay(idc_client: Client, namespace: str) -> None:
    """A Deployment deleted with Orphan leaves its ReplicaSet and pods running, and nobody's."""
    idc_client.create(deployment("web", replicas=2), namespace)
    idc_client.wait_for("Deployment", "web", rolled_out, namespace, what="rolled out")
    idc_client.delete("Deployment", "web", namespace, propagation="Orphan")
    idc_client.wait_gone("Deployment", "web", namespace)
    [left] = idc_client.list("ReplicaSet", namespace)
    assert "ownerReferences" not in left["metadata"]
    assert not is_going(left)
    assert all_ready(2)(idc_client.list("Pod", namespace))


@pytest.mark.idc(proves="controller", negative=True)
def test_owner_waits_for_its_dependents_in_the_foreground(idc_client: Client, namespace: str) -> None:
    """Deleted in the foreground, an owner does not go before a dependent that blocks it."""
    owner_with_dependent(idc_client, namespace, blocking=True, held=True)
    idc_client.delete("ConfigMap", "owner", namespace, propagation="Foreground")
    idc_client.wait_for("ConfigMap", "dependent", is_going, namespace, what="asked to go")
    assert idc_client.get("ConfigMap", "owner", namespace)["metadata"]["finalizers"] == ["foregroundDeletion"]
    release(idc_client, "dependent", namespace)
    idc_client.wait_gone("ConfigMap", "owner", namespace)


@pytest.mark.idc(proves="controller")
def test_object_of_an_owner_that_never_was_is_collected(idc_client: Client, namespace: str) -> None:
    """An object whose owner does not exist is removed by itself."""
    gone = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ghost", "uid": "not-there"}}
    idc_client.create(config_map("dependent", meta=owned_by(gone)), namespace)
    idc_client.wait_gone("ConfigMap", "dependent", namespace)


@pytest.mark.idc(proves="controller", negative=True)
def test_dependent_with_another_owner_stays(idc_client: Client, namespace: str) -> None:
    """What has two owners is not removed with the first, only with the second."""
    owners = [idc_client.create(config_map(name), namespace) for name in ("first", "second")]
    both = {"ownerReferences": [owned_by(owner)["ownerReferences"][0] for owner in owners]}
    idc_client.create(config_map("dependent", meta=both), namespace)
    idc_client.delete("ConfigMap", "first", namespace)
    left = idc_client.wait_for(
        "ConfigMap", "dependent", lambda found: len(found["metadata"]["ownerReferences"]) == 1, namespace
    )
    assert not is_going(left)
    idc_client.delete("ConfigMap", "second", namespace)
    idc_client.wait_gone("ConfigMap", "dependent", namespace)


@pytest.mark.idc(proves="api", negative=True)
def test_finalizer_holds_an_object(idc_client: Client, namespace: str) -> None:
    """An object with a finalizer is not removed by its deletion, but as soon as the finalizer is taken away."""
    idc_client.create(config_map("kept", data={"k": "v"}, meta={"finalizers": [HOLD]}), namespace)
    idc_client.delete("ConfigMap", "kept", namespace)
    found = idc_client.get("ConfigMap", "kept", namespace)
    assert is_going(found)
    assert found["data"] == {"k": "v"}
    release(idc_client, "kept", namespace)
    assert idc_client.find("ConfigMap", "kept", namespace) is None


@pytest.mark.idc(proves="api", negative=True)
def test_object_on_its_way_out_gets_no_new_finalizer(idc_client: Client, namespace: str) -> None:
    """Once its deletion was asked for, nobody can add a reason to keep an object."""
    idc_client.create(config_map("kept", meta={"finalizers": [HOLD]}), namespace)
    idc_client.delete("ConfigMap", "kept", namespace)
    with refused("Invalid", saying="no new finalizers can be added"):
        idc_client.patch("ConfigMap", "kept", {"metadata": {"finalizers": [HOLD, f"{HOLD}-longer"]}}, namespace)
    release(idc_client, "kept", namespace)
