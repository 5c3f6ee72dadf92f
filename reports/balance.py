"""What a change of one setting buys and what it costs: the first page of two runs that were made to differ in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from idcbench.runs.comparison import Comparison, Difference

from .comparing_words import amount, certainty, findings
from .faultrows import labels_text
from .figures import figure

MOST = 8
"""So many of each are on the first page, the headlines first, then the largest."""
INSTRUMENTS = ("measure.", "probe.")
"""What the measuring cost is no price of the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Findings under a title, a sentence each; the title is empty where they need none."""

    title: str
    told: tuple[str, ...]


def groups(comparison: Comparison) -> tuple[Group, ...]:
    """What is better, what is worse and what is open; of runs that were not made to differ, the plain findings."""
    if not comparison.interleaved:
        plain = tuple(findings(comparison))
        return (Group(title="", told=plain),) if plain else ()
    a, b = f"{comparison.key}={comparison.a.value}", f"{comparison.key}={comparison.b.value}"
    undecided = tuple(f"{_figures(one)}; {certainty(one)}" for one in comparison.headlines if _is_open(one))
    found = [
        Group(title=f"What {b} buys over {a}", told=_told(comparison, "better") or ("Nothing that is certain.",)),
        Group(title="What it costs", told=_told(comparison, "worse") or ("Nothing that is certain.",)),
    ]
    return (*found, Group(title="What is not certain", told=undecided)) if undecided else tuple(found)


def _told(comparison: Comparison, word: str) -> tuple[str, ...]:
    found = [one for one in comparison.differences if one.word == word and not one.name.startswith(INSTRUMENTS)]
    return tuple(_sentences(sorted(found, key=lambda one: (not one.headline, -_size(one)))))


def _sentences(found: Sequence[Difference]) -> Iterator[str]:
    for one in found[:MOST]:
        yield f"{_figures(one)}: {amount(one)}{'' if one.headline else ', exploratory'}"
    if len(found) > MOST:
        yield f"and {len(found) - MOST} more, below"


def _figures(one: Difference) -> str:
    """``api.latency p99 (verb=POST) from 12 ms to 15 ms``."""
    quantile = "" if one.quantile == "value" else f" {one.quantile}"
    labels = f" ({labels_text(one.labels)})" if one.labels else ""
    return f"{one.name}{quantile}{labels} from {figure(one.a, one.unit)} to {figure(one.b, one.unit)}"


def _is_open(one: Difference) -> bool:
    return one.word in ("cannot tell", "insufficient")


def _size(one: Difference) -> float:
    """How large a ratio is, up or down alike; differences come after all ratios."""
    return abs(math.log(one.value)) if one.scale == "ratio" and one.value else 0.0
