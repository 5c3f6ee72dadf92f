"""Faults from the timeline and the probe logs, and their figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.reports.faultrows import figures_of
from idcbench.reports.faults import Bound, Fault, faults_of
from idcbench.reports.model import Report
from idcbench.runs.directory import Run, create_run

S = 1_000_000_000


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / ".idcbench", target_id="embedded")


def log(run: Run, *, fault: str = "host-loss", repetition: int = 1, begin_s: int = 100) -> None:
    times = [begin_s * S + index * S // 25 for index in range(250)]
    run.probe_log(fault, repetition).add_many([(at, at, at + 4_000_000, 1, 1, 201, 0) for at in times])


def test_an_event_belongs_by_its_name_or_else_by_its_time(run: Run) -> None:
    log(run)
    log(run, repetition=2, begin_s=200)
    run.happened("vip-owner", at_ns=50 * S, host="cp1")
    run.happened(
        "fault", at_ns=104 * S, fault="host-loss", repetition=1, action="lost", host="cp1", confirmed_ns=105 * S
    )
    run.happened("vip-owner", at_ns=106 * S, host="cp2")
    run.happened("recovered", at_ns=300 * S, fault="host-loss", repetition=1, host="cp1")
    first, second = faults_of(run.path, run.events())[0].repetitions
    assert [(act.at_s, act.label, act.kind) for act in first.acts] == [
        (0.0, "cp1: lost", "fault"), (196.0, "cp1 back, +196.0 s", "recovered"),
    ]  # fmt: skip
    assert first.owners == ((-54.0, "cp1"), (2.0, "cp2"))
    assert first.confirmed_ms == 1000
    assert second.acts == ()
    assert second.owners == ((-94.0, "cp2"),)


def test_nobody_has_the_address_after_its_owner_left(run: Run) -> None:
    log(run)
    about = {"fault": "host-loss", "repetition": 1}
    run.happened("vip-owner", at_ns=99 * S, host="cp1", **about)
    run.happened("vip-left", at_ns=101 * S, host="cp1", **about)
    run.happened("vip-owner", at_ns=103 * S, host="cp2", **about)
    run.happened("vip-left", at_ns=104 * S, host="cp1", **about)
    (repetition,) = faults_of(run.path, run.events())[0].repetitions
    assert [host for _, host in repetition.owners] == ["cp1", "", "cp2"]


def test_an_act_that_two_tell_of_is_told_once(run: Run) -> None:
    log(run)
    run.happened("fault", at_ns=104 * S - 1000, verb="link-silent", host="cp1", component="")
    about = {"fault": "host-loss", "repetition": 1, "host": "cp1", "component": "etcd"}
    run.happened("fault", at_ns=104 * S, verb="link-silent", action="frames vanish", **about)
    run.happened("fault", at_ns=106 * S, verb="freeze", host="cp2", component="haproxy")
    (repetition,) = faults_of(run.path, run.events())[0].repetitions
    assert [act.label for act in repetition.acts] == ["cp1: frames vanish", "cp2: freeze"]


def test_the_most_exact_bound_counts_and_of_equals_the_largest(run: Run) -> None:
    log(run)
    for value_ms, fields in (
        (3000, {}),
        (2500, {"connection": "new"}),
        (2000, {"connection": "new"}),
        (2800, {"vip_and_leader": "yes"}),
    ):
        run.happened("bound", fault="host-loss", value_ms=value_ms, explanation="x", **fields)
    (fault,) = faults_of(run.path, run.events())

    def bound_ms(connection: str, **labels: str) -> float | None:
        bound = fault.bound("write", connection, labels)
        return bound.value_ms if bound else None

    assert bound_ms("new") == 2500
    assert bound_ms("reused") == 3000
    assert bound_ms("reused", vip_and_leader="yes") == 2800


def test_the_same_bound_of_both_connections_is_told_once() -> None:
    one = Bound(value_ms=700, explanation="a", connection="new")
    fault = Fault(name="x", repetitions=(), bounds=(one, Bound(value_ms=700, explanation="a", connection="reused")))
    assert [(it.connection, it.explanation) for it in fault.bounds_told] == [("", "a")]
    longer = Bound(value_ms=1700, explanation="a. And the deadline", connection="reused")
    told = Fault(name="x", repetitions=(), bounds=(one, longer)).bounds_told
    assert [(it.connection, it.explanation) for it in told] == [("new", "a"), ("reused", "And the deadline")]


def test_rows_come_from_the_series_and_variants_stand_apart(reports: dict[str, Report]) -> None:
    figures = next(it for it in reports["passed"].faults if it.fault.name == "host-loss-silent")
    assert [(row.kind, row.connection, row.variant) for row in figures.rows][:3] == [
        ("write", "new", ""), ("write", "new", "also held the etcd leader"), ("write", "reused", ""),
    ]  # fmt: skip
    plain, leader = figures.rows[:2]
    assert (len(plain.outages_ms), len(leader.outages_ms)) == (2, 1)
    assert figures.headline is not None
    assert len(figures.headline.outages_ms) == 3
    assert plain.unknown is not None
    assert plain.unknown > 0
    assert plain.return_ms == 12.0
    assert {metric.name for metric in figures.beside} == {"failover.member_back", "failover.virtual_ip_moved"}


def test_a_run_cut_off_before_its_series_has_rows_from_its_logs(run: Run) -> None:
    log(run)
    (figures,) = figures_of(run.path, faults_of(run.path, run.events()), [])
    (row,) = figures.rows
    assert (row.kind, row.connection, row.outages_ms, row.total) == ("write", "new", (0.0,), 250)


def test_a_metric_alone_makes_a_fault_and_one_of_the_instruments_does_not(run: Run) -> None:
    run.series(
        "failover.write_outage", unit="s", better="lower", labels={"fault": "power-cut", "connection": "new"}
    ).add(2)
    run.series("measure.probe_cpu_share", unit="ratio", better="lower", labels={"fault": "none"}).add(0.1)
    (figures,) = figures_of(run.path, (), run.document().metrics)
    assert figures.fault.title == "Power cut"
    assert figures.rows[0].outages_ms == (2000.0,)
