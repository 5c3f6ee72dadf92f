"""Fixtures of the functional suite: a namespace of its own for each check, and what is cleaned up after it."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

import pytest

from idcbench.kube.apierror import ApiError
from idcbench.kube.crud import Client, Manifest
from idcbench.plugin.live import LiveCluster, LiveHost

from .manifests import named, use_images
from .states import name_of

LABELS = {"idcbench.io/suite": "functional"}
"""On everything outside of the checks' namespaces, so that what an interrupted run left is found."""


class Scratch:
    """Creates objects that live in no namespace, and removes them after the check, the newest first."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._made: list[Manifest] = []

    def create(self, manifest: Manifest) -> Manifest:
        """Create the object, marked as the suite's."""
        manifest["metadata"]["labels"] = manifest["metadata"].get("labels", {}) | LABELS
        made = self._client.create(manifest)
        self._made.append(made)
        return made

    def remove_all(self) -> None:
        while self._made:
            made = self._made.pop()
            with contextlib.suppress(ApiError):
                self._client.delete(made["kind"], name_of(made), api_version=made["apiVersion"], missing_ok=True)


@pytest.fixture(scope="session", autouse=True)
def _images(idc_cluster: LiveCluster) -> None:
    """Pods are made of what this cluster has."""
    use_images(idc_cluster.facts.images)


@pytest.fixture
def unique() -> str:
    """A name that nothing else in the cluster has."""
    return f"idc-{secrets.token_hex(4)}"


@pytest.fixture
def namespace(idc_client: Client, unique: str) -> Iterator[str]:
    """A fresh namespace. Its deletion is asked for afterwards, and not awaited.

    It has its default service account at once, so that checks of the API alone can create pods without controllers.
    """
    idc_client.create(named("Namespace", unique, labels=LABELS))
    with contextlib.suppress(ApiError):  # the controller was faster
        idc_client.create(named("ServiceAccount", "default"), unique)
    yield unique
    with contextlib.suppress(ApiError):  # the check deleted it
        idc_client.delete("Namespace", unique)


@pytest.fixture
def scratch(idc_client: Client) -> Iterator[Scratch]:
    """Creates objects outside of namespaces, for the time of the check."""
    scratch = Scratch(idc_client)
    yield scratch
    scratch.remove_all()


@pytest.fixture
def hosts(idc_cluster: LiveCluster) -> tuple[LiveHost, ...]:
    """The control-plane hosts, where commands can be run."""
    if not idc_cluster.hosts:
        pytest.skip(f"needs the control-plane hosts, which are out of reach on target {idc_cluster.facts.target}")
    return idc_cluster.hosts


@pytest.fixture
def nodes(idc_client: Client) -> list[str]:
    """The names of the nodes that take any pod: ready, not cordoned, without taints that repel."""
    found = [name_of(node) for node in idc_client.list("Node") if _takes_pods(node)]
    if not found:
        pytest.skip("needs a node that is ready and takes pods; there is none")
    return found


def _takes_pods(node: Manifest) -> bool:
    repels = any(taint["effect"] != "PreferNoSchedule" for taint in node["spec"].get("taints", ()))
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"].get("conditions", ()))
    return ready and not repels and not node["spec"].get("unschedulable", False)
