"""The plan of a load that many pods send together: small enough for a ConfigMap, and the same times in each pod."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from .arrivals import Times, constant, diurnal, poisson, ramp
from .calls import Call, Http, mixed


class Constant(msgspec.Struct, frozen=True, kw_only=True, tag="constant", tag_field="kind"):
    rate_per_s: float
    duration_s: float

    def times(self) -> Times:
        return constant(self.rate_per_s, self.duration_s)


class Poisson(msgspec.Struct, frozen=True, kw_only=True, tag="poisson", tag_field="kind"):
    rate_per_s: float
    duration_s: float
    seed: int = 0

    def times(self) -> Times:
        return poisson(self.rate_per_s, self.duration_s, seed=self.seed)


class Ramp(msgspec.Struct, frozen=True, kw_only=True, tag="ramp", tag_field="kind"):
    from_per_s: float
    to_per_s: float
    duration_s: float

    def times(self) -> Times:
        return ramp(self.from_per_s, self.to_per_s, self.duration_s)


class Diurnal(msgspec.Struct, frozen=True, kw_only=True, tag="diurnal", tag_field="kind"):
    low_per_s: float
    high_per_s: float
    duration_s: float
    period_s: float
    seed: int = 0

    def times(self) -> Times:
        return diurnal(self.low_per_s, self.high_per_s, self.duration_s, period_s=self.period_s, seed=self.seed)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One pod's requests: when from the start on, their numbers in the whole plan, and their sorts."""

    planned_ns: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.uint32]
    calls: npt.NDArray[np.uint8]


class JobPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What all pods together send. ``connections`` is of each pod; the rest is as in :class:`~.load_plan.LoadPlan`."""

    arrivals: Constant | Poisson | Ramp | Diurnal
    calls: tuple[Call, ...]
    connections: int = 64
    deadline_s: float = 10.0
    http: Http = "1.1"
    seed: int = 0

    def share(self, index: int, completions: int) -> Share:
        """Every ``completions``-th request from the ``index``-th on, as processes share a plan."""
        times = self.arrivals.times()
        sorts, turn = mixed(self.calls, len(times), seed=self.seed), slice(index, None, completions)
        numbers = np.arange(len(times), dtype=np.uint32)
        return Share(planned_ns=times[turn], numbers=numbers[turn], calls=sorts[turn])
