"""What a bundle has for the hosts of an inventory, checked against what the hosts are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...errors import ClusterError
from ...hosts.inventory import Inventory
from ..artifacts.bundle import Bundle
from ..facts.facts import Facts
from .wanted import Supplies


def supplies_of(bundle: Bundle, inventory: Inventory, facts: Mapping[str, Facts]) -> Supplies:
    """Packages, programs and images for these hosts.

    Raises :class:`~idcbench.errors.ArtifactError` when the bundle is for other machines, and :class:`ClusterError` when
    the hosts are of several distributions or the bundle has another Kubernetes than the inventory asks for.
    """
    distributions = {name: distribution_of(each) for name, each in facts.items()}
    if len(set(distributions.values())) > 1:
        found = ", ".join(f"{name} {distribution}" for name, distribution in distributions.items())
        raise ClusterError(f"hosts of one distribution are wanted; found {found}")
    distribution = next(iter(distributions.values()))
    for each in facts.values():
        bundle.require(architecture=each.architecture, distribution=distribution)
    has, asked = bundle.manifest.kubernetes, inventory.kubernetes
    if has != asked and not has.startswith(f"{asked}."):
        raise ClusterError(
            f"{bundle.path} has Kubernetes {has}, the inventory asks for {asked}; create one with "
            f"`idcbench bundle create --kubernetes {asked} -o FILE`, or change the inventory"
        )
    return Supplies(
        version=has,
        packages=tuple(bundle.entries("package", distribution=distribution)),
        binaries=tuple(bundle.entries("binary")),
        images=tuple(bundle.entries("image")),
    )


def distribution_of(facts: Facts) -> str:
    """As bundles name it: ``debian-12``."""
    return f"{facts.one('os_id')}-{facts.one('os_version')}"


def find_bundle(given: Path | None, inventory: Inventory) -> Bundle:
    """The bundle that was named, or the one beside the inventory. Raises :class:`ClusterError` when there is none."""
    if given is not None:
        return Bundle.open(given)
    beside = sorted(inventory.path.absolute().parent.glob("*.bundle"))
    if len(beside) == 1:
        return Bundle.open(beside[0])
    if beside:
        raise ClusterError(f"several bundles lie beside {inventory.path}; name one: --bundle {beside[-1].name}")
    raise ClusterError(
        f"a bundle with what the hosts need is wanted; make it once: idcbench bundle create --kubernetes "
        f"{inventory.kubernetes} -o {inventory.path.absolute().parent / 'idc.bundle'}"
    )
