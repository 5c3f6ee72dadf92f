"""What a reader of a comparison has to be warned of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .directory import Run
from .metrics import damage_of
from .schema import RunDocument

DRIFT = (
    "the runs were not interleaved: whatever else changed between them, on this machine or another, is in the "
    "differences too"
)
PARTS = "rounds are parts of one run where a run has none: how much another run would differ is not known"
NAMED = 5
"""So many metrics that only one run has are named."""


def of_the_runs(
    runs: tuple[Run, Run], documents: tuple[RunDocument, RunDocument], *, interleaved: bool
) -> Iterator[str]:
    """What is the matter with the runs, and with the two together."""
    if runs[0].path == runs[1].path:
        yield "this is one run, compared with itself"
    for run, document in zip(runs, documents, strict=True):
        if not document.valid:
            yield f"the figures of {document.id} are invalid: {'; '.join(document.invalid_because)}"
        for damage in damage_of(run.path):
            yield f"{document.id}: {damage}"
    if not interleaved:
        yield DRIFT
    kinds = [str(document.options.get("target") or document.target) for document in documents]
    if kinds[0] != kinds[1]:
        yield f"the targets are unlike ({kinds[0]} and {kinds[1]}): a difference need not be that of what was changed"


def of_the_metrics(
    documents: tuple[RunDocument, RunDocument], only: tuple[Sequence[str], Sequence[str]], unlike: Sequence[str]
) -> Iterator[str]:
    """What is not compared: metrics that ``only`` one run has, and those with ``unlike`` units or directions."""
    for document, names in zip(documents, only, strict=True):
        if names:
            yield f"only {document.id} has {_some(names)}"
    if unlike:
        yield f"the unit or direction is another in the other run, so this is left out: {_some(unlike)}"


def _some(names: Sequence[str]) -> str:
    distinct = sorted(set(names))
    return ", ".join(distinct[:NAMED]) + (f" and {len(distinct) - NAMED} more" if len(distinct) > NAMED else "")
