"""What the scheduler benchmark measured, as series of the run directory, which reports and comparisons read."""

from __future__ import annotations

from collections.abc import Callable

from ..runs.directory import Run
from ..runs.schema import Better
from ..scheduler.bench.outcome import Measured, Round

_Figure = tuple[str, str, Better, str, Callable[[Round], float | None]]
FIGURES: tuple[_Figure, ...] = (
    (
        *("scheduler-throughput", "1/s", "higher"),
        "pods divided by the time from the first binding to the later of the last binding and the last Scheduled event",
        lambda one: one.rate,
    ),
    (
        *("scheduler-kube-average", "1/s", "higher"),
        "mean of samples of a second, as scheduler_perf takes it",
        lambda one: one.kube_average,
    ),
    (
        *("scheduler-cpu-per-pod", "ms", "lower"),
        "processor time from the first binding to the last event, divided by the pods",
        lambda one: one.cpu_ms_per_pod,
    ),
    (
        *("scheduler-startup", "s", "lower"),
        "from the start of the process to its first binding, with the pods waiting",
        lambda one: one.startup_s,
    ),
    ("scheduler-peak-memory", "bytes", "lower", "VmHWM at the last event", lambda one: float(one.peak_memory_bytes)),
    (
        *("scheduler-events-missing", "1", "lower"),
        "bound pods without a Scheduled event 10 s after the last binding",
        lambda one: float(one.events_missing),
    ),
)


def write_samples(run: Run, measured: Measured) -> None:
    """A value for each round in the series of its figure, row, scheduler and API server."""
    for one in measured.rounds:
        labels = {"row": one.row, "scheduler": one.scheduler, "against": one.arena, "scale": f"{measured.scale:g}"}
        for name, unit, better, definition, value in FIGURES:
            if (found := value(one)) is not None:
                series = run.series(
                    name, unit=unit, better=better, labels=labels, definition=definition, repetition=True
                )
                series.add(found)
    for ceiling in measured.ceilings:
        labels = {"row": ceiling.row, "kind": ceiling.kind, "against": ceiling.arena, "scale": f"{measured.scale:g}"}
        definition = "best rate of a lean client at 8 to 128 connections; B bindings, BE bindings and events"
        run.series("api-ceiling", unit="1/s", better="higher", labels=labels, definition=definition).add(ceiling.rate)
