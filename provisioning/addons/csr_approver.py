"""Who approves serving certificates of kubelets: for hosts of the inventory, at their addresses, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping

from .template import Manifest, render


def manifests(*, image: str, addresses: Mapping[str, str]) -> list[Manifest]:
    """``addresses`` has the address of each node by its name; a node that is not in it gets no certificate.

    It runs on every control plane, so that none is missed, and in the hosts' network, as kubelets serve before pods
    have one.
    """
    hosts: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "idcbench-hosts", "namespace": "kube-system"},
        "data": dict(addresses),
    }
    return [hosts, *render("csr_approver.yaml", image=image)]
