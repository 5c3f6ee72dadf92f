"""What keeps a host out that was removed from the cluster while it was off, and gets power again."""

from __future__ import annotations

from .template import Manifest, render

LABEL = ("app.kubernetes.io/managed-by", "idcbench")
"""On the ConfigMaps that `idcbench up` reads."""
NAMES = "idcbench-removed"
"""The ConfigMap in kube-system whose keys are the names of removed hosts."""


def manifests() -> list[Manifest]:
    """The policy that refuses their nodes, and the right of hosts to read who was removed."""
    return render("removed.yaml")
