"""The figures of a run in the formats of other tools, piece by piece: a run may hold millions of samples."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from idcbench.measure.statistics import summarize
from idcbench.runs.directory import Run
from idcbench.runs.metrics import series_of
from idcbench.runs.schema import Metric, RunDocument
from idcbench.runs.series import SeriesHeader

from .figures import in_ms

_QUANTILES = (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"))
_UNITS = {
    "ms": "milliseconds",
    "s": "seconds",
    "us": "microseconds",
    "µs": "microseconds",
    "ns": "nanoseconds",
    "%": "percent",
}
_KEPT = ("_count", "_sum", "_bucket", "_total", "_created", "_info")
_OURS = ("run", "quantile")
LARGEST = 100_000
"""Samples of a series that pytest-benchmark's JSON holds one by one; of a longer one it has the figures alone."""


def as_csv(run: Run) -> Iterator[str]:
    """A line for every sample; labels as ``key=value`` with semicolons between."""
    yield _line(("metric", "labels", "unit", "better", "clock", "at_ns", "value"))
    for (name, labels), (header, samples) in sorted(series_of(run.path).items()):
        said = ";".join(f"{key}={value}" for key, value in labels)
        for at_ns, value in zip(samples["at_ns"].tolist(), samples["value"].tolist(), strict=True):
            yield _line((name, said, header.unit, header.better, header.clock, at_ns, repr(value)))


def as_openmetrics(run: Run) -> Iterator[str]:
    """A summary for each metric, with the run as a label (OpenMetrics 1.0: a family's series stand together)."""
    document = run.document()
    families: dict[tuple[str, str], list[Metric]] = {}
    for metric in document.metrics:
        families.setdefault((metric.name, metric.unit), []).append(metric)
    taken: set[str] = set()
    for (said, unit_said), metrics in families.items():
        unit = _UNITS.get(unit_said, _legal(unit_said).strip("_"))
        name = _distinct(_family(said, unit), unit, taken)
        yield f"# TYPE {name} summary\n"
        yield f"# UNIT {name} {unit}\n" if unit else ""
        yield f"# HELP {name} {_escaped(metrics[0].definition or said)}\n"
        for metric in metrics:
            labels = _label_names(metric.labels) | {"run": document.id}
            for quantile, field in _QUANTILES:
                if (value := getattr(metric, field)) is not None:
                    yield f"{name}{_labels(labels | {'quantile': quantile})} {value!r}\n"
            yield f"{name}_count{_labels(labels)} {metric.n}\n"
    yield "# EOF\n"


def as_pytest_benchmark(run: Run) -> Iterator[str]:
    """The JSON that ``pytest-benchmark compare`` reads: durations only, in seconds, a sample as a round."""
    document = run.document()
    found = {
        "machine_info": _machine(document),
        "commit_info": {},
        "benchmarks": [
            _benchmark(header, np.asarray(samples["value"], dtype=np.float64))
            for _, (header, samples) in sorted(series_of(run.path).items())
            if in_ms(1.0, header.unit) is not None and len(samples) and np.isfinite(samples["value"]).all()
        ],
        "datetime": document.started,
        "version": "5.0.0",
    }
    yield msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"


FORMATS: Mapping[str, Callable[[Run], Iterator[str]]] = {
    "csv": as_csv,
    "openmetrics": as_openmetrics,
    "pytest-benchmark": as_pytest_benchmark,
}


def _benchmark(header: SeriesHeader, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> dict[str, Any]:
    seconds = values * float(in_ms(1.0, header.unit) or 0.0) / 1000
    q1, median, q3 = (float(one) for one in np.quantile(seconds, (0.25, 0.5, 0.75)))
    iqr, mean, spread = q3 - q1, float(seconds.mean()), float(seconds.std(ddof=1)) if len(seconds) > 1 else 0.0
    inside = seconds[(seconds >= q1 - 1.5 * iqr) & (seconds <= q3 + 1.5 * iqr)]
    far, outside = int((np.abs(seconds - mean) > spread).sum()), len(seconds) - len(inside)
    title = header.name + ("[" + "-".join(header.labels.values()) + "]" if header.labels else "")
    summary = summarize(seconds)
    return {
        "group": header.name,
        "name": title,
        "fullname": title,
        "params": header.labels or None,
        "param": "-".join(header.labels.values()) or None,
        "extra_info": {"p95": summary.p95, "p99": summary.p99, "definition": header.definition},
        "options": {"disable_gc": False, "timer": header.clock, "min_rounds": 1, "max_time": 0.0, "min_time": 0.0,
                    "warmup": False},
        "stats": {
            "min": float(seconds.min()), "max": float(seconds.max()), "mean": mean, "stddev": spread,
            "rounds": len(seconds), "median": median, "iqr": iqr, "q1": q1, "q3": q3, "iqr_outliers": outside,
            "stddev_outliers": far, "outliers": f"{far};{outside}", "ld15iqr": float(inside.min()),
            "hd15iqr": float(inside.max()), "ops": 1 / mean if mean else 0.0, "total": float(seconds.sum()),
            "iterations": 1, **({"data": seconds.tolist()} if len(seconds) <= LARGEST else {}),
        },
    }  # fmt: skip


def _machine(document: RunDocument) -> dict[str, Any]:
    return {"node": document.target, "system": "Linux", "python_version": document.versions.get("python", ""),
            "cpu": {"brand_raw": document.machine.get("processor", "")}, **document.machine}  # fmt: skip


def _line(cells: tuple[object, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _family(metric: str, unit: str) -> str:
    """A legal name that ends in its unit, and in nothing that the format keeps for itself."""
    name = f"idcbench_{_legal(metric)}"
    if name.endswith(_KEPT):
        name += "_value"
    return name if not unit or name.endswith(f"_{unit}") else f"{name}_{unit}"


def _distinct(name: str, unit: str, taken: set[str]) -> str:
    """``name``, numbered when another metric became the same."""
    stem, number, found = name.removesuffix(f"_{unit}") if unit else name, 1, name
    while found in taken:
        number += 1
        found = f"{stem}_{number}_{unit}" if unit else f"{stem}_{number}"
    taken.add(found)
    return found


def _label_names(labels: Mapping[str, str]) -> dict[str, str]:
    """With legal names that differ, and are none of ours."""
    named: dict[str, str] = {}
    for key, value in labels.items():
        legal = _legal(key)
        name = f"label_{legal}" if legal in _OURS or not legal[:1].isalpha() else legal
        while name in named:
            name += "_"
        named[name] = value
    return named


def _legal(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", text)


def _labels(labels: Mapping[str, str]) -> str:
    said = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return f"{{{said}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
