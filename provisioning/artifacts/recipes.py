"""How each part is built from Go modules."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .parts import PartName


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Which module is built, and from which main program: ``main`` is a file in mains/, else ``package`` is built.

    ``stamps`` are Go variables with their values, in which ``{version}``, ``{major}``, ``{minor}``, ``{commit}`` and
    ``{date}`` stand for those of the release. ``cpu_minutes`` is what a build with empty caches takes.
    """

    module: str
    package: str = "."
    main: str = ""
    stamps: tuple[str, ...] = ()
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
        package="sigs.k8s.io/kwok/cmd/kwok",
        stamps=("sigs.k8s.io/kwok/pkg/consts.Version=v{version}",),
        cpu_minutes=5,
    ),
}
"""CPU minutes: measured on 2 cores with Go 1.26 and empty caches, downloads included (docs/artifacts.md)."""


def link_flags(recipe: Recipe, *, version: str, commit: str, date: str) -> str:
    """What `go build -ldflags` gets: stripped, and stamped with the version."""
    major, minor = version.split(".")[:2]
    values = {"version": version, "major": major, "minor": minor, "commit": commit, "date": date}
    return " ".join(["-s", "-w", *(f"-X {stamp.format(**values)}" for stamp in recipe.stamps)])
