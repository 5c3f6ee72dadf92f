"""What the pods of a load print, a line each, and the one result that their lines make."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from ..errors import IdcError
from .histogram import Histogram
from .job_plan import JobPlan
from .load_plan import BEHIND_LIMIT, behind_of
from .open_loop import Outcome, Sent
from .overhead import LAG_P99_LIMIT_MS


class LoadJobError(IdcError):
    """The pods of a load did not do it all, or not together."""


class CallShare(msgspec.Struct, frozen=True, kw_only=True):
    """Of one sort: latencies from planned time of those answered 2xx, encoded, and how many ended how."""

    latency: str
    counts: dict[str, int]


class PodLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one pod prints. ``plan`` is a digest, equal in all pods of a load; ``behind`` counts requests."""

    index: int
    completions: int
    plan: str
    start_unix_s: float
    calls: dict[str, CallShare]
    lag: str
    behind: int
    requests: int
    cpu_share: float


class JobCall(msgspec.Struct, frozen=True, kw_only=True):
    """One sort of request of the whole load."""

    latency: Histogram
    counts: dict[Outcome, int]


class JobResult(msgspec.Struct, frozen=True, kw_only=True):
    """The whole load. ``lag`` is of all pods; ``objections`` say why it was not the load that was planned."""

    calls: dict[str, JobCall]
    lag: Histogram
    requests: int
    objections: tuple[str, ...]


def digest_of(plan: JobPlan) -> str:
    """Names a plan."""
    return hashlib.sha256(msgspec.json.encode(plan)).hexdigest()[:16]


def line_of(plan: JobPlan, sent: Sent, *, index: int, completions: int, start_unix_s: float, cpu_share: float) -> bytes:
    """The line of a pod that sent ``sent``, without its end."""
    return msgspec.json.encode(
        PodLine(
            index=index,
            completions=completions,
            plan=digest_of(plan),
            start_unix_s=start_unix_s,
            calls={call.name: _share(sent[sent["call"] == place]) for place, call in enumerate(plan.calls)},
            lag=Histogram.of(sent["started_ns"] - sent["planned_ns"]).encode(),
            behind=round(behind_of(sent) * len(sent)),
            requests=len(sent),
            cpu_share=cpu_share,
        )
    )


def merged(lines: Iterable[bytes | str]) -> JobResult:
    """One result of all pods' lines, in any order. Raises :class:`LoadJobError` when they are not those of one load."""
    pods = [_read(line) for line in lines]
    _check(pods)
    lags = [Histogram.decode(pod.lag) for pod in pods]
    requests, behind = sum(pod.requests for pod in pods), sum(pod.behind for pod in pods)
    found = [
        f"pod {pod.index} started 1 % of its requests {p99_ms:.1f} ms late or later; at most {LAG_P99_LIMIT_MS:.0f} ms "
        "is right: use more pods or a lower rate"
        for pod, lag in zip(pods, lags, strict=True)
        if (p99_ms := lag.quantile_ms(0.99) or 0.0) > LAG_P99_LIMIT_MS
    ]
    if behind > BEHIND_LIMIT * requests:
        found.append(f"the load fell behind its plan by {behind / requests:.1%}; at most {BEHIND_LIMIT:.0%} is right")
    return JobResult(
        calls={name: _merged_call([pod.calls[name] for pod in pods]) for name in pods[0].calls},
        lag=Histogram.merged(lags),
        requests=requests,
        objections=tuple(found),
    )


def _share(sent: Sent) -> CallShare:
    good = sent[sent["outcome"] == Outcome.OK]
    return CallShare(
        latency=Histogram.of(good["completed_ns"] - good["planned_ns"]).encode(),
        counts={outcome.name.lower(): int(np.sum(sent["outcome"] == outcome)) for outcome in Outcome},
    )


def _merged_call(shares: Sequence[CallShare]) -> JobCall:
    return JobCall(
        latency=Histogram.merged(Histogram.decode(share.latency) for share in shares),
        counts={outcome: sum(share.counts.get(outcome.name.lower(), 0) for share in shares) for outcome in Outcome},
    )


def _read(line: bytes | str) -> PodLine:
    try:
        return msgspec.json.decode(line, type=PodLine)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LoadJobError(f"the line of a pod is wanted, found {line[:60]!r}: {error}; see the pod's log") from error


def _check(pods: Sequence[PodLine]) -> None:
    if not pods:
        raise LoadJobError("no pod of the load printed its line; see `kubectl describe job` and the pods' logs")
    one = pods[0]
    if any(
        (pod.plan, pod.start_unix_s, pod.completions) != (one.plan, one.start_unix_s, one.completions) for pod in pods
    ):
        raise LoadJobError("the pods did not send one plan from one time on; their lines cannot be merged")
    indexes = sorted(pod.index for pod in pods)
    missing = sorted(set(range(one.completions)) - set(indexes))
    if missing:
        raise LoadJobError(f"pods {', '.join(map(str, missing))} of {one.completions} printed no line; see their logs")
    if len(indexes) != one.completions:
        raise LoadJobError(f"{one.completions} pods are wanted, but there are {len(indexes)} lines; one ran twice")
