"""Priorities: who makes way for whom, and who does not.

All priorities here are below zero, so that no pod of anybody else ever makes way for a check.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idcbench.kube.crud import Client, Manifest

from .conftest import Scratch
from .manifests import on_node, pod, priority_class, requests
from .refusal import refused
from .states import has_condition, is_going, is_ready

UNSCHEDULABLE = has_condition("PodScheduled", "False", reason="Unschedulable")


@pytest.fixture
def half(idc_client: Client, namespace: str, nodes: list[str]) -> Iterator[Manifest]:
    """The part of a pod's manifest that takes more than half of one node's CPU, so that only one such pod fits.

    The pods are deleted with the check, so that the next finds the node free.
    """
    cpu = idc_client.get("Node", nodes[-1])["status"]["allocatable"]["cpu"]
    milli = int(cpu[:-1]) if cpu.endswith("m") else int(cpu) * 1000
    yield {"resources": requests(cpu=f"{milli * 6 // 10}m")} | on_node(nodes[-1])
    idc_client.delete_all("Pod", namespace)


def classes(scratch: Scratch, unique: str) -> tuple[str, str]:
    """The names of a low and a higher priority."""
    low, high = f"{unique}-low", f"{unique}-high"
    scratch.create(priority_class(low, -2000))
    scratch.create(priority_class(high, -1000))
    return low, high


@pytest.mark.idc(proves="controller")
def test_pod_of_higher_priority_takes_the_place(
    idc_client: Client, namespace: str, scratch: Scratch, half: Manifest
) -> None:
    """Where there is room for one, a pod of lower priority makes way for one of higher priority."""
    low, high = classes(scratch, namespace)
    idc_client.create(pod("first", priorityClassName=low, **half), namespace)
    idc_client.wait_for("Pod", "first", is_ready, namespace, what="ready")
    idc_client.create(pod("second", priorityClassName=high, **half), namespace)
    idc_client.wait_for("Pod", "second", is_ready, namespace, what="ready")
    left = idc_client.find("Pod", "first", namespace)
    assert left is None or is_going(left)


@pytest.mark.idc(proves="controller", negative=True)
def test_pod_of_lower_priority_has_to_wait(
    idc_client: Client, namespace: str, scratch: Scratch, half: Manifest
) -> None:
    """A pod of lower priority displaces nobody: it stays pending, and the other runs on."""
    low, high = classes(scratch, namespace)
    idc_client.create(pod("first", priorityClassName=high, **half), namespace)
    idc_client.wait_for("Pod", "first", is_ready, namespace, what="ready")
    idc_client.create(pod("second", priorityClassName=low, **half), namespace)
    idc_client.wait_for("Pod", "second", UNSCHEDULABLE, namespace, what="found unschedulable")
    assert is_ready(idc_client.get("Pod", "first", namespace))


@pytest.mark.idc(proves="controller", negative=True)
def test_priority_that_preempts_never_displaces_nobody(
    idc_client: Client, namespace: str, scratch: Scratch, half: Manifest
) -> None:
    """A pod whose class never preempts waits, however high its priority is."""
    low, _ = classes(scratch, namespace)
    patient = f"{namespace}-patient"
    scratch.create(priority_class(patient, -500, preemptionPolicy="Never"))
    idc_client.create(pod("first", priorityClassName=low, **half), namespace)
    idc_client.wait_for("Pod", "first", is_ready, namespace, what="ready")
    idc_client.create(pod("second", priorityClassName=patient, **half), namespace)
    found = idc_client.wait_for("Pod", "second", UNSCHEDULABLE, namespace, what="found unschedulable")
    assert "nominatedNodeName" not in found["status"]
    assert is_ready(idc_client.get("Pod", "first", namespace))


@pytest.mark.idc(proves="api")
def test_priority_class_sets_the_priority(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A pod gets the number of its priority class."""
    low, _ = classes(scratch, namespace)
    assert idc_client.create(pod("one", priorityClassName=low), namespace)["spec"]["priority"] == -2000


@pytest.mark.idc(proves="api", negative=True)
def test_pod_of_an_unknown_priority_class_is_refused(idc_client: Client, namespace: str) -> None:
    """A pod that names a priority class that does not exist is refused."""
    with refused("Forbidden", saying="no PriorityClass with name"):
        idc_client.create(pod("one", priorityClassName=f"{namespace}-none"), namespace)


@pytest.mark.idc(proves="api", negative=True)
def test_priority_of_the_system_is_reserved(scratch: Scratch, unique: str) -> None:
    """Nobody can define a priority as high as that of the system's own pods."""
    with refused("Invalid", saying="maximum allowed value of a user defined priority"):
        scratch.create(priority_class(unique, 2_000_000_000))
