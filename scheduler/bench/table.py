"""What was measured as tables: medians over the rounds, with the range. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from tabulate import tabulate

from idcbench.measure.bounding import OTHERS
from idcbench.measure.statistics import Ratio, paired_ratio

from .objections import objections
from .outcome import Arrival, Ceiling, Measured, Round

T = TypeVar("T")

ABSENT = "–"


def rendered(measured: Measured, *, baseline: str) -> str:
    """Every table, one part for each arena; ``baseline`` is the scheduler that the others are compared with."""
    lines = [_size(measured)]
    for arena in _unique(one.arena for one in measured.ceilings):
        mine = [one for one in measured.rounds if one.arena == arena]
        ceilings = [one for one in measured.ceilings if one.arena == arena]
        lines += ["", f"Against {arena}", "", _drains(mine, ceilings), "", _costs(mine), "", _ceilings(ceilings)]
        if ratios := _ratios(mine, baseline):
            lines += ["", ratios]
        if arrivals := [one for one in measured.arrivals if one.arena == arena]:
            lines += ["", _arrivals(arrivals)]
    for objection in objections(measured):
        lines += ["", f"NOT VALID: {objection}"]
    for failure in measured.failures:
        lines += ["", f"FAILED: {failure}"]
    return "\n".join(lines)


def ratios(rounds: Sequence[Round], baseline: str, value: Callable[[Round], float]) -> dict[tuple[str, str], Ratio]:
    """For each row and scheduler that is not the baseline: its value divided by the baseline's, pair by pair."""
    found: dict[tuple[str, str], Ratio] = {}
    by_key = {(one.row, one.scheduler, one.pair): value(one) for one in rounds}
    for row, name in _unique((one.row, one.scheduler) for one in rounds if one.scheduler != baseline):
        pairs = [
            (mine, by_key[row, baseline, pair])
            for (its_row, scheduler, pair), mine in by_key.items()
            if (its_row, scheduler) == (row, name) and (row, baseline, pair) in by_key
        ]
        if ratio := paired_ratio([one for one, _ in pairs], [other for _, other in pairs]):
            found[row, name] = ratio
    return found


def _size(measured: Measured) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in measured.versions.items())
    scale = (
        "the sizes of scheduler_perf"
        if measured.scale == 1
        else f"SCALE {measured.scale:g}: every count of scheduler_perf times {measured.scale:g}, not comparable with it"
    )
    return f"{scale}; {measured.cores} cores; {versions}; seed {measured.seed}"


def _drains(rounds: Sequence[Round], ceilings: Sequence[Ceiling]) -> str:
    be = {one.row: one for one in ceilings if one.kind == "BE"}
    headers = [
        *("row", "scheduler", "n", "pods", "pods/s (range)", "kube's average", "of BE", "last/first 1000"),
        *("wait p50 ms", "p99", "others' cores"),
    ]
    rows = []
    for row, name, mine in _groups(rounds):
        rates = [one.rate for one in mine]
        rows.append(
            [
                *(row, name, len(mine), mine[0].pods),
                f"{np.median(rates):.0f} ({min(rates):.0f}–{max(rates):.0f})",
                _median([one.kube_average for one in mine], "{:.0f}"),
                _median([one.rate / be[row].beside(one.pair) for one in mine] if row in be else [], "{:.2f}"),
                _median([one.decay for one in mine], "{:.2f}"),
                _median([one.wait_p50_ms for one in mine], "{:.0f}"),
                _median([one.wait_p99_ms for one in mine], "{:.0f}"),
                f"{max(one.cores.get(OTHERS, 0.0) for one in mine):.2f}",
            ]
        )
    return tabulate(rows, headers=headers, disable_numparse=True)


def _costs(rounds: Sequence[Round]) -> str:
    rows = [
        [
            *(row, name),
            _median([one.cpu_ms_per_pod for one in mine], "{:.2f}"),
            _median([one.startup_s for one in mine], "{:.2f}"),
            _median([one.startup_cpu_s for one in mine], "{:.2f}"),
            _median([one.peak_memory_bytes / 2**20 for one in mine], "{:.0f}"),
            _median([float(one.events_written) for one in mine], "{:.0f}"),
            sum(one.events_missing for one in mine),
            f"{max(one.scheduled_late_s for one in mine):.2f}",
        ]
        for row, name, mine in _groups(rounds)
    ]
    headers = [
        *(
            "row",
            "scheduler",
            "CPU ms/pod",
            "start s",
            "start CPU s",
            "peak MiB",
            "events",
            "missing",
            "latest event s",
        ),
    ]
    return tabulate(rows, headers=headers, disable_numparse=True)


def _groups(rounds: Sequence[Round]) -> list[tuple[str, str, list[Round]]]:
    keys = _unique((one.row, one.scheduler) for one in rounds)
    return [(*key, [one for one in rounds if (one.row, one.scheduler) == key]) for key in keys]


def _ceilings(ceilings: Sequence[Ceiling]) -> str:
    rows = [
        [
            *(one.row, one.kind, _rate(one), _median([step.decay for step in one.rounds], "{:.2f}")),
            ", ".join(f"{step.connections}: {step.rate:.0f}" for step in one.steps),
            one.bound_by,
        ]
        for one in ceilings
    ]
    headers = ["row", "ceiling", "pods/s", "last/first 1000", "by connections", "bound by"]
    return tabulate(rows, headers=headers, disable_numparse=True)


def _rate(one: Ceiling) -> str:
    rates = [step.rate for step in one.rounds]
    return f"{one.rate:.0f}" + (f" ({min(rates):.0f}–{max(rates):.0f})" if rates else "")


def _ratios(rounds: Sequence[Round], baseline: str) -> str:
    rates = ratios(rounds, baseline, lambda one: one.rate)
    cpu = ratios(rounds, baseline, lambda one: max(one.cpu_ms_per_pod, 1e-6))
    rows = [[*key, rates[key].n, _ratio(rates[key]), _ratio(cpu[key])] for key in rates]
    if not rows:
        return ""
    headers = ["row", "scheduler", "pairs", f"pods/s ÷ {baseline}'s", f"CPU a pod ÷ {baseline}'s"]
    return tabulate(rows, headers=headers, disable_numparse=True)


def _arrivals(arrivals: Sequence[Arrival]) -> str:
    rows = []
    for row, name, share in _unique((one.row, one.scheduler, one.share) for one in arrivals):
        mine = [one for one in arrivals if (one.row, one.scheduler, one.share) == (row, name, share)]
        rows.append(
            [
                *(row, name, f"{share:g} × {mine[0].rate / share:.0f}/s", len(mine)),
                _median([one.p50_ms for one in mine], "{:.1f}"),
                _median([one.p99_ms for one in mine], "{:.1f}"),
                _median([one.max_ms for one in mine], "{:.0f}"),
                f"{max(one.lag_p99_ms for one in mine):.1f}",
            ]
        )
    headers = ["row", "scheduler", "arrivals", "n", "created → bound p50 ms", "p99", "max", "client late p99 ms"]
    return tabulate(rows, headers=headers, disable_numparse=True)


def _ratio(ratio: Ratio) -> str:
    interval = "" if ratio.low is None or ratio.high is None else f" ({ratio.low:.2f}–{ratio.high:.2f})"
    return f"{ratio.median:.2f}{interval}"


def _median(values: Iterable[float | None], form: str) -> str:
    known = [value for value in values if value is not None]
    return form.format(np.median(known)) if known else ABSENT


def _unique(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))
