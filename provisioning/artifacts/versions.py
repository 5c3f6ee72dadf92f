"""Which versions there are, and which etcd and KWOK go with a Kubernetes version."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...choices import LATEST_PATCH
from ...errors import UsageError

DEFAULT = "1.37"
ETCD = {"1.34": "3.6.16", "1.35": "3.6.16", "1.36": "3.6.16", "1.37": "3.7.3"}
"""The newest patch of the etcd minor that kubeadm of that version installs (DefaultEtcdVersion in
cmd/kubeadm/app/constants): `go list -m -versions go.etcd.io/etcd/server/v3`, 2026-11-24."""

KWOK = "0.8.0"
"""The newest of `go list -m -versions sigs.k8s.io/kwok`, 2026-11-24; it does not depend on the Kubernetes version."""

FLANNEL, METRICS_SERVER, CNI_PLUGINS, CRICTL = "0.26.7", "0.9.0", "1.9.1", "1.37.0"
"""What hosts get besides, whatever their Kubernetes. A later flannel asks for a module that not every proxy has."""

_FORM = re.compile(r"v?(\d+\.\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What belongs together. ``patch_given`` is false when only the minor version was asked for."""

    kubernetes: str
    etcd: str
    kwok: str
    patch_given: bool

    @property
    def minor(self) -> str:
        """``1.37`` of ``1.37.2``."""
        return self.kubernetes.rpartition(".")[0]

    @property
    def known(self) -> bool:
        """Whether the patch is one that this table knows of; a newer one may exist all the same."""
        return int(self.kubernetes.rpartition(".")[2]) <= LATEST_PATCH[self.minor]


def resolve(version: str) -> Versions:
    """Complete ``1.37`` or ``1.37.2`` (a leading ``v`` is allowed).

    A patch newer than the table is let through; whether it exists is then for the sources to say. Raises
    :class:`~idcbench.errors.UsageError` naming what exists.
    """
    found = _FORM.fullmatch(version.strip())
    if not found:
        raise UsageError(f"Kubernetes version {version!r} is not of the form 1.37 or 1.37.2; there are {existing()}")
    minor, patch = found.groups()
    if minor not in LATEST_PATCH:
        raise UsageError(f"Kubernetes {version} is not supported; there are {existing()}")
    kubernetes = f"{minor}.{int(patch) if patch else LATEST_PATCH[minor]}"
    return Versions(kubernetes=kubernetes, etcd=ETCD[minor], kwok=KWOK, patch_given=patch is not None)


def existing() -> str:
    """The known versions, for messages: ``1.34 (to 1.34.4), …``."""
    return ", ".join(f"{minor} (to {minor}.{patch})" for minor, patch in LATEST_PATCH.items())
