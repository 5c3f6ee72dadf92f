"""The highest rate at which one load process keeps its plan, on this machine: found once, kept, and held against plans.

One plan of ascending steps goes to a null server on another core; the ceiling is the highest step at which p99 of the
start lag was within the limit and everything was answered. A step that a busy moment of the machine spoilt does not
end the search, and what is above the ceiling cannot recover, so the highest good step is the answer.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from .. import __version__
from ..kube.access import Access
from .arrivals import Times
from .calls import Call, Http
from .certificate import self_signed
from .load_plan import LoadPlan
from .load_sending import send_load
from .open_loop import Outcome, Sent
from .overhead import LAG_P99_LIMIT_MS
from .synthetic import Behaviour, SyntheticServer, SyntheticSettings

STEP_S = 0.1
FIRST_PER_S = 1500.0
STEP_UP = 1.12
LEAST_PER_S = 1000.0
"""Any machine that can hold a cluster does this: below it nothing needs to be measured, nor refused."""
MOST_PER_S: dict[Http, float] = {"1.1": 16_000.0, "2": 6000.0}
"""No process in Python does more; by protocol."""
DEADLINE_S = 0.3
"""What a step above the ceiling leaves behind is given up after this."""
READ = Call(name="read", path="/api/v1/namespaces/default/configmaps/a")


class Ceiling(msgspec.Struct, frozen=True, kw_only=True):
    """Requests per second of one process by one protocol, and when that was measured."""

    rate_per_s: float
    measured: str


@dataclass(frozen=True, slots=True)
class Staircase:
    """Steps of :data:`STEP_S`, each faster than the one before by :data:`STEP_UP`."""

    rates_per_s: tuple[float, ...]
    planned_ns: Times

    @classmethod
    def up_to(cls, most_per_s: float) -> Staircase:
        rates: list[float] = []
        times = []
        rate = FIRST_PER_S
        while rate <= most_per_s:
            begin_s = len(rates) * STEP_S
            times.append(np.rint((begin_s + np.arange(int(rate * STEP_S)) / rate) * 1e9).astype(np.int64))
            rates.append(rate)
            rate *= STEP_UP
        return cls(tuple(rates), np.concatenate(times))

    def highest(self, sent: Sent) -> float:
        """The rate of the highest step that was kept; 0 when none was. ``sent`` is in the order of the plan."""
        step_of = self.planned_ns // int(STEP_S * 1e9)
        kept = [0.0]
        for step, rate in enumerate(self.rates_per_s):
            of_step = sent[step_of == step]
            lag_ms = np.quantile((of_step["started_ns"] - of_step["planned_ns"]) / 1e6, 0.99, method="higher")
            if lag_ms <= LAG_P99_LIMIT_MS and (of_step["outcome"] == Outcome.OK).all():
                kept.append(rate)
        return kept[-1]


def measured_ceiling(http: Http) -> float:
    """Requests per second of one process over TLS, against a null server on another core; takes about 3 s.

    At least :data:`LEAST_PER_S`: a machine that does less today is busy, and the load's own lag will say so.
    """
    stairs = Staircase.up_to(MOST_PER_S[http])
    plan = LoadPlan(planned_ns=stairs.planned_ns, calls=(READ,), connections=64, deadline_s=DEADLINE_S, http=http)
    with tempfile.TemporaryDirectory(prefix="idcbench-ceiling-") as text:
        certificate, key = self_signed(Path(text))
        settings = SyntheticSettings(behaviour=Behaviour(), certificate=certificate, key=key, http=http)
        with on_core(0):
            server = SyntheticServer(settings)
        with server, on_core(-1):
            access = Access(server=server.url, kubeconfig=Path(text) / "none", ca_file=certificate)
            return max(LEAST_PER_S, stairs.highest(send_load(access, plan).sent))


def known_ceiling(http: Http) -> Ceiling | None:
    """The ceiling kept for this machine and this idcbench, if one was measured."""
    return _read().get(http)


def measure_ceiling(http: Http) -> Ceiling:
    """Measure it now, and keep it in the state directory unless a higher one is there: a busy machine only lowers it.

    One that cannot be written is measured again next time. Raises :class:`~.instrument.InstrumentError`.
    """
    now = Ceiling(rate_per_s=measured_ceiling(http), measured=datetime.now(UTC).isoformat(timespec="seconds"))
    kept = _read()
    highest = max(now, kept.get(http, now), key=lambda each: each.rate_per_s)
    path = _file()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_bytes(msgspec.json.encode({**kept, http: highest}))
        draft.replace(path)
    return highest


def _read() -> Mapping[Http, Ceiling]:
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[Http, Ceiling])
    except (OSError, msgspec.DecodeError):
        return {}


def _file() -> Path:
    """One for each machine and idcbench: a home directory may be shared by machines."""
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    return base / "idcbench" / "ceilings" / f"{platform.node()}-{len(os.sched_getaffinity(0))}-{__version__}.json"


@contextmanager
def on_core(which: int) -> Iterator[None]:
    """What is started within runs on one core, the ``which``-th of those allowed (from the end where negative)."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[which]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
