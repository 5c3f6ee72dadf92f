"""A registry inside the cluster, for images that are made or brought there."""

from __future__ import annotations

from .serving import Server, Serving
from .template import Manifest, render

NAMESPACE, NAME, PORT = "idcbench-registry", "registry", 5000
FOLDER = "/var/lib/idcbench/registry"
"""Where its host keeps what is pushed."""


def server(address: str) -> Server:
    """containerd on the hosts calls it by its address."""
    return Server(namespace=NAMESPACE, name=NAME, names=(address,))


def manifests(*, image: str, serving: Serving, address: str, node: str) -> list[Manifest]:
    """One pod on ``node``, whose disk holds the images; a Service with the fixed ``address`` of the service network.

    ``serving`` is for what :func:`server` says. Whoever is in the cluster may
    pull and push.
    """
    return render(
        "registry.yaml", image=image, address=address, node=node, folder=FOLDER, namespace=NAMESPACE, name=NAME,
        **serving.encoded(),
    )  # fmt: skip
