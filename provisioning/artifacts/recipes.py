"""How each part is built from Go modules."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .parts import PartName


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Which module is built, and from which main program: ``main`` is a file in mains/, else ``packages`` are built.

    ``stamps`` are Go variables with their values, in which ``{version}``, ``{major}``, ``{minor}``, ``{commit}`` and
    ``{date}`` stand for those of the release. ``cgo`` asks for a C compiler, whose library is linked in.
    ``cpu_minutes`` is what a build with empty caches takes.
    """

    module: str
    packages: tuple[str, ...] = (".",)
    main: str = ""
    stamps: tuple[str, ...] = ()
    cgo: bool = False
    cpu_minutes: float

    def minutes(self, cores: int) -> int:
        """How long a build with empty caches takes on a machine with so many cores."""
        return max(1, math.ceil(self.cpu_minutes / cores))


_KUBERNETES_VERSION = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_KUBERNETES_STAMPS = (
    "gitVersion=v{version}",
    "gitMajor={major}",
    "gitMinor={minor}",
    "gitTreeState=clean",
    "gitCommit={commit}",
    "buildDate={date}",
)
_CNI = "github.com/containernetworking/plugins"

RECIPES: dict[PartName, Recipe] = {
    "kubernetes": Recipe(
        module="k8s.io/kubernetes",
        main="kubernetes.go",
        stamps=tuple(f"{package}.{stamp}" for package in _KUBERNETES_VERSION for stamp in _KUBERNETES_STAMPS),
        cpu_minutes=20,
    ),
    "etcd": Recipe(module="go.etcd.io/etcd/server/v3", main="etcd.go", cpu_minutes=3),
    "kwok": Recipe(
        module="sigs.k8s.io/kwok",
        packages=("sigs.k8s.io/kwok/cmd/kwok",),
        stamps=("sigs.k8s.io/kwok/pkg/consts.Version=v{version}",),
        cpu_minutes=5,
    ),
    "coredns": Recipe(
        module="github.com/coredns/coredns",
        packages=("github.com/coredns/coredns",),
        cpu_minutes=7,
    ),
    "flannel": Recipe(
        module="github.com/flannel-io/flannel",
        packages=("github.com/flannel-io/flannel",),
        stamps=("github.com/flannel-io/flannel/pkg/version.Version=v{version}",),
        cgo=True,  # its udp backend does not compile without
        cpu_minutes=3,
    ),
    "metrics-server": Recipe(
        module="sigs.k8s.io/metrics-server",
        packages=("sigs.k8s.io/metrics-server/cmd/metrics-server",),
        stamps=tuple(
            f"k8s.io/client-go/pkg/version.{stamp}"
            for stamp in ("gitVersion=v{version}", "gitCommit={commit}", "buildDate={date}")
        ),
        cpu_minutes=7,
    ),
    "cni-plugins": Recipe(
        module=_CNI,
        packages=tuple(
            f"{_CNI}/plugins/{plugin}"
            for plugin in (
                "main/bridge",
                "main/loopback",
                "main/ptp",
                "ipam/host-local",
                "meta/firewall",
                "meta/portmap",
                "meta/tuning",
            )
        ),
        stamps=(f"{_CNI}/pkg/utils/buildversion.BuildVersion=v{{version}}",),
        cpu_minutes=2,
    ),
    "crictl": Recipe(
        module="sigs.k8s.io/cri-tools",
        packages=("sigs.k8s.io/cri-tools/cmd/crictl",),
        stamps=("sigs.k8s.io/cri-tools/pkg/version.Version=v{version}",),
        cpu_minutes=4,
    ),
}
"""CPU minutes: measured on 2 cores with Go 1.26 and empty caches, downloads included (docs/artifacts.md)."""


def link_flags(recipe: Recipe, *, version: str, commit: str, date: str) -> str:
    """What `go build -ldflags` gets: stripped, stamped with the version, with no library to look for."""
    major, minor = version.split(".")[:2]
    values = {"version": version, "major": major, "minor": minor, "commit": commit, "date": date}
    static = ['-extldflags "-static"'] if recipe.cgo else []
    return " ".join(["-s", "-w", *(f"-X {stamp.format(**values)}" for stamp in recipe.stamps), *static])
