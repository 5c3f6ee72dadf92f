"""Volumes and claims: who gets which, and what is never thrown away."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client, Manifest

from .conftest import Scratch
from .manifests import claim, pod, storage_class, using_claim, volume
from .refusal import refused
from .states import is_going, is_ready, phase_is, wait_for_event

pytestmark = pytest.mark.idc(proves="controller")
CLAIM, VOLUME = "PersistentVolumeClaim", "PersistentVolume"


def provide(client: Client, scratch: Scratch, name: str, *, storage_class: str, size: str = "1Gi") -> None:
    """Create a volume, and wait until it can be had: a claim that finds none looks again only after 15 s."""
    scratch.create(volume(name, storage_class=storage_class, size=size))
    client.wait_for(VOLUME, name, phase_is("Available"), what="available")


def bound(client: Client, name: str, namespace: str) -> Manifest:
    return client.wait_for(CLAIM, name, phase_is("Bound"), namespace, what="bound")


def test_claim_gets_a_volume_of_its_class(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A claim is bound to the smallest free volume of its class that is large enough, and the volume to the claim."""
    scratch.create(storage_class(namespace))
    provide(idc_client, scratch, f"{namespace}-large", storage_class=namespace, size="20Gi")
    provide(idc_client, scratch, f"{namespace}-fit", storage_class=namespace, size="5Gi")
    idc_client.create(claim("data", storage_class=namespace, size="4Gi"), namespace)
    found = bound(idc_client, "data", namespace)
    assert found["spec"]["volumeName"] == f"{namespace}-fit"
    assert found["status"]["capacity"] == {"storage": "5Gi"}
    its_volume = idc_client.get(VOLUME, f"{namespace}-fit")
    assert its_volume["spec"]["claimRef"]["uid"] == found["metadata"]["uid"]


@pytest.mark.idc(negative=True)
def test_claim_does_not_get_a_volume_that_is_too_small(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A claim for more than any volume has stays pending, and the small volume stays free."""
    scratch.create(storage_class(namespace))
    provide(idc_client, scratch, namespace, storage_class=namespace, size="1Gi")
    idc_client.create(claim("data", storage_class=namespace, size="2Gi"), namespace)
    wait_for_event(idc_client, namespace, "data", "ProvisioningFailed")
    assert idc_client.get(CLAIM, "data", namespace)["status"]["phase"] == "Pending"
    assert idc_client.get(VOLUME, namespace)["status"]["phase"] == "Available"


@pytest.mark.idc(negative=True)
def test_claim_waits_for_its_first_consumer(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A claim of a class that waits for a consumer is not bound before a pod uses it; then the pod runs with it."""
    scratch.create(storage_class(namespace, binding="WaitForFirstConsumer"))
    provide(idc_client, scratch, namespace, storage_class=namespace)
    idc_client.create(claim("data", storage_class=namespace), namespace)
    wait_for_event(idc_client, namespace, "data", "WaitForFirstConsumer")
    assert idc_client.get(CLAIM, "data", namespace)["status"]["phase"] == "Pending"
    idc_client.create(pod("user", **using_claim("data")), namespace)
    bound(idc_client, "data", namespace)
    idc_client.wait_for("Pod", "user", is_ready, namespace, what="ready")


@pytest.mark.idc(negative=True)
def test_claim_in_use_is_not_removed(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A claim that a pod uses outlives its own deletion until the pod is gone."""
    scratch.create(storage_class(namespace))
    provide(idc_client, scratch, namespace, storage_class=namespace)
    idc_client.create(claim("data", storage_class=namespace), namespace)
    bound(idc_client, "data", namespace)
    idc_client.create(pod("user", **using_claim("data")), namespace)
    idc_client.wait_for("Pod", "user", is_ready, namespace, what="ready")
    idc_client.delete(CLAIM, "data", namespace)
    found = idc_client.get(CLAIM, "data", namespace)
    assert is_going(found)
    assert found["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    idc_client.delete("Pod", "user", namespace)
    idc_client.wait_gone(CLAIM, "data", namespace)


@pytest.mark.idc(negative=True)
def test_retained_volume_is_not_given_to_another_claim(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A volume that is to be retained stays when its claim goes, and no other claim gets the data on it."""
    scratch.create(storage_class(namespace))
    provide(idc_client, scratch, namespace, storage_class=namespace)
    idc_client.create(claim("first", storage_class=namespace), namespace)
    bound(idc_client, "first", namespace)
    idc_client.delete(CLAIM, "first", namespace)
    idc_client.wait_for(VOLUME, namespace, phase_is("Released"), what="released")
    idc_client.create(claim("second", storage_class=namespace), namespace)
    wait_for_event(idc_client, namespace, "second", "ProvisioningFailed")
    assert idc_client.get(CLAIM, "second", namespace)["status"]["phase"] == "Pending"
    assert idc_client.get(VOLUME, namespace)["status"]["phase"] == "Released"


@pytest.mark.idc(negative=True)
def test_claim_grows_only_where_its_class_allows_it(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A larger size is accepted from a claim of an expandable class and refused from one that is not."""
    for name, expandable in ((f"{namespace}-fixed", False), (f"{namespace}-grows", True)):
        scratch.create(storage_class(name, expandable=expandable))
        provide(idc_client, scratch, name, storage_class=name, size="1Gi")
        idc_client.create(claim(name, storage_class=name), namespace)
        bound(idc_client, name, namespace)
    larger = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    with refused("Forbidden", saying="only dynamically provisioned pvc can be resized"):
        idc_client.patch(CLAIM, f"{namespace}-fixed", larger, namespace)
    idc_client.patch(CLAIM, f"{namespace}-grows", larger, namespace)
