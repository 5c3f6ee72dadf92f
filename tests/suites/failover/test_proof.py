"""What a drill must show: each proof fails when the thing that it is about is not so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from idcbench.measure.addresses import Holding
from idcbench.measure.overhead import Overhead
from idcbench.measure.plan import CONNECTIONS, KINDS, Plan, schedule
from idcbench.measure.probe import ProbeResult, WatchResult
from idcbench.measure.requests import REQUEST, Outcome
from idcbench.measure.vigil import Sighting
from idcbench.provisioning.controlplane.timers import PROFILES
from idcbench.runs.directory import create_run
from idcbench.runs.probelog import read_probe_log
from idcbench.suites.failover.drill import Drilled, Fault
from idcbench.suites.failover.proof import prove
from idcbench.suites.failover.recording import Recorder

S = 1_000_000_000
FAULT_NS, RETURNED_NS, BACK_NS, STEADY_NS = 110 * S, 115 * S, 117 * S, 127 * S
FAULT = Fault(
    log="host-loss-silent",
    labels={"fault": "host-loss", "way": "silent", "vip_and_leader": "no"},
    host="cp1",
    component="etcd",
    verb="link-silent",
    action="frames vanish",
    seen=("silent",),
    act=lambda: None,
    undo=lambda: None,
)


def requests(plan: Plan) -> Any:
    """All well but for the two seconds after the fault, in which every request misses its deadline."""
    found = []
    for planned in schedule(plan, start_ns=100 * S):
        if planned.planned_ns > STEADY_NS:
            break
        bad = FAULT_NS <= planned.planned_ns < FAULT_NS + 2 * S
        write = planned.stream.kind == "write"
        outcome = (Outcome.UNKNOWN if write else Outcome.FAILED) if bad else Outcome.OK
        latency_ns = S if bad else S // 200
        row = (planned.planned_ns, planned.planned_ns, planned.planned_ns + latency_ns, planned.number)
        codes = (KINDS.index(planned.stream.kind), CONNECTIONS.index(planned.stream.connection), 200, outcome, 0)
        found.append((*row, *codes))
    return np.array(found, dtype=REQUEST)


def drilled() -> Drilled:
    plan = Plan()
    probe = ProbeResult(
        plan=plan,
        started_ns=100 * S,
        ended_ns=STEADY_NS,
        requests=requests(plan),
        overhead=Overhead(cpu_share=0.05, cpu_s=1, wall_s=20, lag_p50_ms=1, lag_p99_ms=3, lag_max_ms=9, samples=1890),
        acknowledged=700,
        lost=(),
        unknown=70,
        unknown_there=3,
        watch=WatchResult(
            arrived_ns=np.array([105 * S, 120 * S]),
            latency_ms=np.array([5.0, 7.0]),
            missing=(),
            repeated=(),
            connections=2,
            relists=0,
        ),
    )
    return Drilled(
        fault=FAULT,
        members=3,
        acted_ns=FAULT_NS - S // 100,
        fault_ns=FAULT_NS,
        sure_ns=FAULT_NS + S // 1000,
        returned_ns=RETURNED_NS,
        back_ns=BACK_NS,
        steady_ns=STEADY_NS,
        probe=probe,
        held=[
            Holding(99 * S, frozenset({"cp1"})),
            Holding(112 * S, frozenset({"cp1", "cp2"})),
            Holding(116 * S, frozenset({"cp2"})),
        ],
        sightings=(
            Sighting(at_ns=FAULT_NS, sure_ns=FAULT_NS + S // 1000, host="cp1", component="etcd", seen="silent"),
        ),
        observer_cpu_share=0.02,
    )


def test_a_drill_that_went_well_is_proved() -> None:
    prove(drilled())


def probe_with(**changed: Any) -> Drilled:
    good = drilled()
    return replace(good, probe=replace(good.probe, **changed))


def watch_with(**changed: Any) -> Drilled:
    watch = drilled().probe.watch
    assert watch is not None
    return probe_with(watch=replace(watch, **changed))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (probe_with(lost=("w00000007",)), "1 of 700 acknowledged writes are lost: .*w00000007"),
        (probe_with(acknowledged=0), "no write was acknowledged"),
        (probe_with(requests=drilled().probe.requests[::50]), "the probe sent nothing for"),
        (probe_with(requests=drilled().probe.requests[:1000]), "the probe sent nothing for"),
        (watch_with(missing=("w1",)), "1 acknowledged writes never came"),
        (watch_with(repeated=("w1",)), "1 events came twice"),
        (replace(drilled(), held=drilled().held[:2]), r"\['cp1', 'cp2'\] from -3.00 s"),
        (replace(drilled(), held=[Holding(99 * S, frozenset())]), "nobody from"),
    ],
)
def test_a_drill_that_did_not_go_well_is_told(bad: Drilled, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        prove(bad)


def test_a_watch_that_had_to_begin_anew_may_miss_events() -> None:
    prove(watch_with(missing=("w1",), relists=1))


def ground(members: int = 3) -> Any:
    """What a recorder needs of the range."""
    facts = SimpleNamespace(timers=PROFILES["default"])
    return SimpleNamespace(cluster=SimpleNamespace(facts=facts), members=tuple(range(members)))


def test_a_drill_is_written_into_the_run(tmp_path: Path) -> None:
    run = create_run(tmp_path, target_id="embedded")
    Recorder(run).keep(drilled(), 2, ground=ground())
    metrics = {(it.name, it.labels.get("connection"), it.labels.get("kind")): it for it in run.document().metrics}
    for kind in KINDS:
        for connection, interval_ms in (("reused", 40), ("new", 100)):
            outage = metrics[(f"failover.{kind}_outage", connection, None)]
            assert outage.n == 1
            assert outage.p50 == pytest.approx(2000, abs=interval_ms)
            assert outage.labels.items() >= {"fault": "host-loss", "way": "silent"}.items()
            assert metrics[("failover.failed", connection, kind)].p50 == (0 if kind == "write" else 2000 / interval_ms)
            assert metrics[("failover.return_outage", connection, kind)].p50 == 0
    assert metrics[("failover.member_back", None, None)].p50 == 2000
    assert metrics[("failover.virtual_ip_moved", None, None)].p50 == 2010
    assert metrics[("failover.watch_latency", None, None)].n == 1
    header, logged = read_probe_log(next((run.path / "samples").glob("*.probe")))
    assert (header.fault, header.repetition, header.deadline_ms) == ("host-loss-silent", 2, 1000)
    assert len(logged) == len(drilled().probe.requests)


def test_the_timeline_tells_what_was_done_seen_and_allowed(tmp_path: Path) -> None:
    run = create_run(tmp_path, target_id="embedded")
    Recorder(run).keep(drilled(), 1, ground=ground())
    events = run.events()
    (fault,) = [event for event in events if event["what"] == "fault"]
    assert (fault["host"], fault["action"], fault["confirmed_ns"]) == ("cp1", "frames vanish", FAULT_NS)
    takings = [(event["what"], event["host"]) for event in events if event["what"] in ("vip-owner", "vip-left")]
    assert takings == [("vip-owner", "cp1"), ("vip-owner", "cp2"), ("vip-left", "cp1")]
    bounds = {event["connection"]: event["value_ms"] for event in events if event["what"] == "bound"}
    assert bounds["reused"] == bounds["new"] + 1000
    assert {"returned", "recovered", "seen"} <= {event["what"] for event in events}


def test_one_member_has_no_bound(tmp_path: Path) -> None:
    run = create_run(tmp_path, target_id="embedded")
    Recorder(run).keep(drilled(), 1, ground=ground(members=1))
    assert not [event for event in run.events() if event["what"] == "bound"]


class Prober:
    """Measures the overhead that it is given, and counts how often."""

    def __init__(self, overhead: Overhead) -> None:
        self.measured = 0
        self._overhead = overhead

    def overhead(self, _plan: Plan) -> Overhead:
        self.measured += 1
        return self._overhead


@pytest.mark.parametrize(("cpu_share", "reasons"), [(0.1, 0), (0.2, 1)])
def test_the_probe_is_measured_once_and_may_void_the_run(tmp_path: Path, cpu_share: float, reasons: int) -> None:
    run = create_run(tmp_path, target_id="embedded")
    prober: Any = Prober(replace(drilled().probe.overhead, cpu_share=cpu_share))
    place: Any = SimpleNamespace(make_ready=lambda: "cp1", plan=Plan())
    for _ in range(2):
        Recorder(run).measure_probe_once(prober, place)
    assert prober.measured == (1 if not reasons else 3)
    said = [event["reason"] for event in run.events() if event["what"] == "invalid"]
    assert len(said) == reasons
    assert all("20% of the machine" in reason for reason in said)
