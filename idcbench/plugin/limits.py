"""``--idc-limits FILE``: bounds that a metric must keep; a breach fails the test that measured it.

The file is YAML::

    - metric: failover.write_outage
      labels: {fault: etcd-leader-kill, connection: new}   # those that matter; a metric may have more
      statistic: max                                       # min, p50, p95, p99 or max
      at_most: 2.3                                         # or at_least
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from ..errors import UsageError
from ..runs.schema import Metric

Statistic = Literal["min", "p50", "p95", "p99", "max"]


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bound; exactly one of ``at_most`` and ``at_least`` is given, in the unit of the metric."""

    metric: str
    labels: dict[str, str] = {}
    statistic: Statistic
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("exactly one of at_most and at_least is wanted")

    def concerns(self, metric: Metric) -> bool:
        """Whether the metric has this name and at least these labels."""
        return metric.name == self.metric and self.labels.items() <= metric.labels.items()

    def verdict(self, metric: Metric) -> str | None:
        """``None`` when kept; otherwise the breach, or that there are too few samples to tell."""
        value: float | None = getattr(metric, self.statistic)
        where = f"{metric.name}{_braced(metric.labels)} {self.statistic}"
        if value is None:
            return f"{where}: {metric.n} samples are too few to tell it; ask for more with --idc-repeat"
        if self.at_most is not None and value > self.at_most:
            return f"{where} is {value:g} {metric.unit}, at most {self.at_most:g} is allowed"
        if self.at_least is not None and value < self.at_least:
            return f"{where} is {value:g} {metric.unit}, at least {self.at_least:g} is wanted"
        return None


def read_limits(path: Path) -> tuple[Limit, ...]:
    """Read the file. Raises :class:`UsageError` that names file, line or field, and what is wanted there."""
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise UsageError(f"--idc-limits: {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--idc-limits: {path}: not text in UTF-8 ({error.reason} at byte {error.start})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"--idc-limits: {path}{line}: not YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(content, list) or not content:
        raise UsageError(f"--idc-limits: {path}: a list of limits is wanted, each with metric, statistic and at_most")
    return tuple(_limit(path, number, entry) for number, entry in enumerate(content, start=1))


def breaches(limits: Iterable[Limit], *, before: Iterable[Metric], after: Iterable[Metric]) -> list[str]:
    """What is said of each limit that a metric with new samples does not keep."""
    known = {metric.samples: metric.n for metric in before}
    grown = [metric for metric in after if metric.n > known.get(metric.samples, 0)]
    said = (limit.verdict(metric) for limit in limits for metric in grown if limit.concerns(metric))
    return [each for each in said if each]


def _limit(path: Path, number: int, entry: Any) -> Limit:
    if isinstance(entry, dict) and isinstance(entry.get("labels"), dict):
        entry = {**entry, "labels": {str(key): str(value) for key, value in entry["labels"].items()}}
    try:
        return msgspec.convert(entry, type=Limit)
    except (msgspec.ValidationError, ValueError) as error:
        raise UsageError(f"--idc-limits: {path}, limit {number}: {error}") from error


def _braced(labels: dict[str, str]) -> str:
    said = ",".join(f"{key}={value}" for key, value in labels.items())
    return f"{{{said}}}" if said else ""
