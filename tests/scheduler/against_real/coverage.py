"""Which plugins the cases have really met."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .reference import Answer

FILTERS = (
    "NodeName",
    "NodeUnschedulable",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
    "NodeDeclaredFeatures",
)
SCORES = (
    "TaintToleration",
    "NodeAffinity",
    "NodeResourcesFit",
    "NodeResourcesBalancedAllocation",
    "PodTopologySpread",
    "InterPodAffinity",
    "ImageLocality",
    "VolumeBinding",
)
LEAST = 200
"""Cases in which a plugin must have told nodes apart before a comparison counts for it."""


@dataclass(slots=True)
class Coverage:
    """Counts of cases: a filter ``parted`` them when it removed a node and kept another, a score ``ranked`` them when
    its normalised scores were not all the same."""

    cases: int = 0
    placed: int = 0
    barred: int = 0
    gated: int = 0
    preempted: int = 0
    parted: Counter[str] = field(default_factory=Counter)
    ranked: Counter[str] = field(default_factory=Counter)

    def add(self, answer: Answer) -> None:
        self.cases += 1
        self.placed += bool(answer.feasible)
        self.barred += answer.barred is not None
        self.gated += answer.gated is not None
        self.preempted += bool(answer.preemption and answer.preemption.candidates)
        for plugin in {refused.plugin for refused in answer.refused.values()}:
            self.parted[plugin] += self._keeps_one(plugin, answer)
        for plugin, scores in answer.scores.items():
            self.ranked[plugin] += len({normalised for _, normalised, _ in scores.values()}) > 1

    @staticmethod
    def _keeps_one(plugin: str, answer: Answer) -> bool:
        """A node was kept when it is feasible, or when a plugin further on refused it."""
        later = FILTERS[FILTERS.index(plugin) + 1 :]
        return bool(answer.feasible) or any(refused.plugin in later for refused in answer.refused.values())

    def rows(self) -> list[tuple[str, int | str, int | str]]:
        """Plugin, cases parted by its filter, cases ranked by its score."""
        plugins = dict.fromkeys((*FILTERS, *SCORES))
        return [(p, self.parted[p] if p in FILTERS else "", self.ranked[p] if p in SCORES else "") for p in plugins]

    def thin(self) -> list[str]:
        """Plugins that were met too rarely."""
        return sorted(
            {f"filter {p}" for p in FILTERS if self.parted[p] < LEAST}
            | {f"score {p}" for p in SCORES if self.ranked[p] < LEAST}
        )
