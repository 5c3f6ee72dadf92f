"""The markers: what a test says about itself, and how that is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

DESCRIPTIONS = (
    "idc(proves='api'|'controller'|'kubelet', negative=False, needs=()): what a pass proves to work, whether something"
    " must be refused or must not happen, and the capabilities of the cluster without which the test is skipped",
    "idc_disruptive: breaks the cluster; runs alone, may use idc_cluster.faults, and on a cluster that idcbench did"
    " not make only with --idc-allow-disruption=NAME",
    "idc_measuring: measures; runs alone, so that no other test disturbs the figures",
)
PROVES = ("api", "controller", "kubelet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the markers of a test say, inner ones before outer ones; ``needs`` adds up."""

    proves: str = ""
    negative: bool = False
    needs: tuple[str, ...] = ()
    disruptive: bool = False
    measuring: bool = False

    @property
    def alone(self) -> bool:
        """Whether no other test may run on the cluster meanwhile."""
        return self.disruptive or self.measuring

    @property
    def measures_undisturbed(self) -> bool:
        """Whether what it measures is worth nothing on a machine that starves the harness; a fault may do that."""
        return self.measuring and not self.disruptive


def declared(item: pytest.Item) -> Declared:
    """Read the markers of a test. Raises :class:`pytest.UsageError` when one has arguments that it does not know."""
    said: dict[str, Any] = {}
    needs: list[str] = []
    for mark in item.iter_markers("idc"):
        if mark.args or mark.kwargs.keys() - {"proves", "negative", "needs"}:
            raise pytest.UsageError(f"{item.nodeid}: marker idc takes proves=, negative= and needs=, nothing else")
        said = {**mark.kwargs, **said}
        wanted = mark.kwargs.get("needs", ())
        needs += [wanted] if isinstance(wanted, str) else [str(each) for each in wanted]
    proves = str(said.get("proves", ""))
    if proves and proves not in PROVES:
        raise pytest.UsageError(f"{item.nodeid}: idc(proves={proves!r}): one of {', '.join(PROVES)} is wanted")
    return Declared(
        proves=proves,
        negative=bool(said.get("negative", False)),
        needs=tuple(dict.fromkeys(str(need) for need in needs)),
        disruptive=item.get_closest_marker("idc_disruptive") is not None,
        measuring=item.get_closest_marker("idc_measuring") is not None,
    )


def needs_cluster(item: pytest.Item) -> bool:
    """Whether the test, or a fixture that it uses, asks for the cluster."""
    return "idc_cluster" in getattr(item, "fixturenames", ())
