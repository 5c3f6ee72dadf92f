"""The probe against a server that misbehaves: what it calls failed, unknown, lost and missing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from idcbench.measure.instrument import InstrumentError
from idcbench.measure.plan import Plan, Stream
from idcbench.measure.probe import Prober
from idcbench.measure.requests import Outcome

WRITES = Stream(kind="write", connection="reused", rate_per_s=50)
QUICK = Plan(
    streams=(
        Stream(kind="read", connection="reused", rate_per_s=50),
        WRITES,
        Stream(kind="read", connection="new", rate_per_s=20),
        Stream(kind="write", connection="new", rate_per_s=20),
    ),
    deadline_s=0.5,
)
# the fixture's type is in conftest.py, which cannot be imported from here
Server = Any


def test_a_well_server_answers_everything_and_keeps_it(little_server: Server) -> None:
    with Prober(little_server.access).running(QUICK) as probe:
        assert little_server.state()["namespaces"] == [probe.namespace]
        assert probe.wait_steady(for_s=0.5) >= probe.started_ns
        result = probe.stop()
        assert probe.stop() is result
    assert little_server.state()["namespaces"] == []
    assert set(result.requests["outcome"]) == {Outcome.OK}
    assert result.requests["opened"].tolist() == result.requests["connection"].tolist()
    assert (result.lost, result.unknown) == ((), 0)
    assert result.watch is not None
    assert (result.watch.missing, result.watch.repeated, result.watch.connections) == ((), (), 1)
    assert len(result.watch.latency_ms) == result.acknowledged > 20
    assert (result.watch.latency_ms > 0).all()
    assert 0 < result.overhead.cpu_share < 1
    assert result.overhead.samples == len(result.requests)


@pytest.mark.parametrize("how", [{"answer": "500"}, {"cut": "1"}])
def test_a_write_that_may_have_been_done_is_unknown(little_server: Server, how: dict[str, str]) -> None:
    with Prober(little_server.access).running(QUICK) as probe:
        probe.wait_steady(for_s=0.2)
        little_server.misbehave(**how)
        time.sleep(0.3)
        little_server.misbehave()
        probe.wait_steady(for_s=0.2, after_ns=time.monotonic_ns())
        result = probe.stop()
    outcomes = {kind: set(result.stream(kind, "new")["outcome"]) for kind in ("read", "write")}
    assert outcomes == {"read": {Outcome.OK}, "write": {Outcome.OK, Outcome.UNKNOWN}}
    assert result.lost == ()
    assert result.unknown > 5
    assert result.unknown_there == (result.unknown if "cut" in how else 0)


def test_a_write_that_was_refused_has_failed(little_server: Server) -> None:
    with Prober(little_server.access).running(QUICK) as probe:
        little_server.misbehave(answer="429")
        time.sleep(0.5)
        result = probe.stop()
    failed = result.requests[result.requests["outcome"] == Outcome.FAILED]
    assert set(failed["status"]) == {429}
    assert result.unknown == 0


def test_an_acknowledged_write_that_is_not_there_is_lost(little_server: Server) -> None:
    with Prober(little_server.access).running(QUICK) as probe:
        probe.wait_steady(for_s=0.2)
        little_server.misbehave(lose="1")
        time.sleep(0.1)
        little_server.misbehave()
        time.sleep(0.1)
        result = probe.stop()
    assert result.watch is not None
    assert 3 < len(result.lost) < result.acknowledged
    assert result.watch.missing == result.lost


@pytest.mark.parametrize(("how", "relists"), [({"watches": "cut"}, 0), ({"watches": "cut", "expired": "1"}, 1)])
def test_a_watch_that_is_cut_resumes(little_server: Server, how: dict[str, str], relists: int) -> None:
    with Prober(little_server.access).running(QUICK) as probe:
        probe.wait_steady(for_s=0.2)
        little_server.misbehave(**how)
        probe.wait_steady(for_s=0.3, after_ns=time.monotonic_ns())
        result = probe.stop()
    assert result.watch is not None
    assert result.watch.connections >= 2
    assert result.watch.relists == relists
    assert result.watch.repeated == ()
    assert relists or result.watch.missing == ()


def test_a_server_that_is_gone_fails_every_request_and_none_hangs(little_server: Server) -> None:
    with Prober(little_server.access).running(QUICK) as probe:
        probe.wait_steady(for_s=0.2)
        little_server.kill()
        killed_ns = time.monotonic_ns()
        with pytest.raises(InstrumentError, match=r"wanted 0\.5 s without a failed request within 1 s"):
            probe.wait_steady(for_s=0.5, timeout_s=1)
        with pytest.raises(InstrumentError):  # close() follows: the process ends though nothing can be read back
            probe._instrument.ask("stop", answer_within_s=1)
    assert time.monotonic_ns() - killed_ns < 10e9


def test_a_cluster_that_never_answers_is_named(little_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idcbench.measure.probe.START_S", 0.3)
    little_server.kill()
    with (
        pytest.raises(InstrumentError, match="POST /api/v1/namespaces: not within"),
        Prober(little_server.access).running(QUICK),
    ):
        raise AssertionError("it must not have started")


def test_the_overhead_is_measured_on_enough_requests(little_server: Server) -> None:
    fast = Plan(streams=(Stream(kind="read", connection="reused", rate_per_s=300), WRITES), watch=False)
    assert Prober(little_server.access).overhead(fast).samples >= 299


PARENT = """
import sys, time
from pathlib import Path
from idcbench.kube.access import Access
from idcbench.measure.probe import Prober
with Prober(Access(server=sys.argv[1], kubeconfig=Path("/none"))).running() as probe:
    print(probe._instrument._process.pid, flush=True)
    time.sleep(60)
"""


def test_a_probe_dies_with_its_parent_and_leaves_nothing(little_server: Server) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, little_server.url], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert little_server.state()["namespaces"]
        parent.kill()
    until = time.monotonic() + 2
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < until, "the probe outlived its parent"
        time.sleep(0.02)
    assert little_server.state()["namespaces"] == []
