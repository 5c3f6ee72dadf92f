"""The parts that are found, fetched or built each as a whole: Kubernetes, etcd, KWOK, and what hosts need besides."""

from __future__ import annotations

import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...errors import ArtifactError
from .failure import WayFailedError
from .versions import Versions

PartName = Literal["kubernetes", "etcd", "kwok", "coredns", "flannel", "metrics-server", "cni-plugins", "crictl"]
TITLES: dict[PartName, str] = {
    "kubernetes": "Kubernetes",
    "etcd": "etcd",
    "kwok": "KWOK",
    "coredns": "CoreDNS",
    "flannel": "flannel",
    "metrics-server": "metrics-server",
    "cni-plugins": "CNI plugins",
    "crictl": "crictl",
}
BINARIES: dict[PartName, tuple[str, ...]] = {
    "kubernetes": (
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kube-proxy",
        "kubelet",
        "kubeadm",
        "kubectl",
    ),
    "etcd": ("etcd",),
    "kwok": ("kwok",),
    "coredns": ("coredns",),
    "flannel": ("flanneld",),
    "metrics-server": ("metrics-server",),
    "cni-plugins": ("bridge", "firewall", "host-local", "loopback", "portmap", "ptp", "tuning"),
    "crictl": ("crictl",),
}
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_ASK = {"kubectl": ("version", "--client"), "kubeadm": ("version", "-o", "short")}
_VERSION = re.compile(r"\bv?(\d+\.\d+\.\d+)\b")


@dataclass(frozen=True, slots=True)
class Part:
    """One part in one version for one architecture (``amd64`` or ``arm64``, always Linux)."""

    name: PartName
    version: str
    arch: str

    @property
    def title(self) -> str:
        """For messages: ``Kubernetes 1.37.2``."""
        return f"{TITLES[self.name]} {self.version}"

    @property
    def binaries(self) -> tuple[str, ...]:
        """The names of its programs."""
        return BINARIES[self.name]

    @property
    def key(self) -> str:
        """Names it in the cache: ``kubernetes-1.37.2-linux-amd64``."""
        return f"{self.name}-{self.version}-linux-{self.arch}"


def parts_of(versions: Versions, arch: str) -> tuple[Part, Part, Part]:
    """Everything that a cluster of these versions needs."""
    return (
        Part("kubernetes", versions.kubernetes, arch),
        Part("etcd", versions.etcd, arch),
        Part("kwok", versions.kwok, arch),
    )


def machine_arch() -> str:
    """This machine's architecture as releases spell it. Raises :class:`~idcbench.errors.ArtifactError`."""
    if arch := _ARCHITECTURES.get(platform.machine().lower()):
        return arch
    raise ArtifactError(
        f"this machine is a {platform.machine()}; Kubernetes, etcd and KWOK exist for x86_64 and aarch64"
    )


def ask_version(program: Path, *, timeout_s: float = 30.0) -> str:
    """The version that a program says of itself, on stdout or else on stderr, without ``v``.

    Raises :class:`~.failure.WayFailedError` when it cannot be run or names none.
    """
    argv = [str(program), *_ASK.get(program.name, ("--version",))]
    try:
        said = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False, errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WayFailedError(f"{program} cannot be run: {error}") from error
    if said.returncode or not (found := _VERSION.search(said.stdout) or _VERSION.search(said.stderr)):
        lines = (said.stderr or said.stdout).strip().splitlines() or ["no output"]
        raise WayFailedError(f"`{' '.join(argv)}` ended with {said.returncode} and names no version: {lines[-1]}")
    return found[1]
