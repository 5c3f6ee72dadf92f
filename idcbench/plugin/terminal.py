"""The lines that a session with a target adds to pytest's terminal."""

from __future__ import annotations

from collections.abc import Sequence

from ..cluster import ClusterFacts
from ..options import Settings, is_inventory
from ..runs.schema import RunDocument


def header_line(settings: Settings, packaged: Sequence[str]) -> str:
    """What was asked for."""
    said = [f"target {settings.target}"]
    if settings.target != "kubeconfig" and not is_inventory(settings.target):
        said += [
            f"Kubernetes {settings.kubernetes}",
            _count(settings.control_planes, "control plane"),
            _count(settings.nodes, "node"),
            f"profile {settings.profile}",
        ]
    if settings.shape != "full":
        said.append(f"shape {settings.shape}")
    suites = f"; packaged: {', '.join(each.split('/', 2)[-1] for each in packaged)}" if packaged else ""
    return f"idcbench: {', '.join(said)}{suites}"


def cluster_line(facts: ClusterFacts) -> str:
    """What is there."""
    how = "found ready" if facts.reused else "ready"
    took = f" after {facts.ready_s:.1f} s" if facts.ready_s is not None else ""
    members, nodes = _count(facts.control_planes, "control plane"), _count(facts.nodes, "node")
    return f"idcbench: {facts.target} {facts.name} {how}{took}: Kubernetes {facts.kubernetes}, {members}, {nodes}"


def ending_lines(document: RunDocument | None, path: str) -> list[str]:
    """Where the run is, and what is wrong with it."""
    if document is None:
        return []
    state = "interrupted" if document.interrupted else "valid" if document.valid else "invalid"
    lines = [f"run {path} ({state}, {len(document.metrics)} metrics); `idcbench report` shows it"]
    return lines + [f"invalid: {reason}" for reason in document.invalid_because]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
