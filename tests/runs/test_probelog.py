"""Probe logs: every request, with the codes that have a meaning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from idcbench.runs.directory import Run, create_run
from idcbench.runs.probelog import DTYPE, read_probe_log

PACKED = [
    ("planned_ns", "<i8"), ("started_ns", "<i8"), ("completed_ns", "<i8"),
    ("kind", "u1"), ("connection", "u1"), ("status", "<i2"), ("outcome", "u1"),
]  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / ".idcbench", target_id="embedded")


def test_requests_come_back_in_the_order_planned(run: Run) -> None:
    log = run.probe_log("host-loss", 2, deadline_ms=1000)
    log.add_many([(20, 21, 25, 1, 1, 201, 0)])
    log.add_many(np.array([(10, 11, 15, 0, 0, 0, 1), (30, 30, 30, 1, 0, 0, 2)], dtype=PACKED))
    header, requests = read_probe_log(log.path)
    assert (header.fault, header.repetition, header.deadline_ms) == ("host-loss", 2, 1000)
    assert requests["planned_ns"].tolist() == [10, 20, 30]
    assert requests["status"].tolist() == [0, 201, 0]
    assert requests.dtype == DTYPE


@pytest.mark.parametrize("row", [(1, 2, 3, 2, 0, 200, 0), (1, 2, 3, 0, 2, 200, 0), (1, 2, 3, 0, 0, 200, 3)])
def test_an_unknown_code_is_refused(run: Run, row: tuple[int, ...]) -> None:
    log = run.probe_log("host-loss", 1)
    with pytest.raises(ValueError, match="unknown code"):
        log.add_many([(1, 2, 3, 0, 0, 200, 0), row])
    assert len(read_probe_log(log.path)[1]) == 0


def test_a_request_does_not_end_before_it_starts(run: Run) -> None:
    with pytest.raises(ValueError, match="before it started"):
        run.probe_log("host-loss", 1).add_many([(1, 5, 4, 0, 0, 200, 0)])


def test_other_fields_are_refused(run: Run) -> None:
    with pytest.raises(ValueError, match="takes the fields"):
        run.probe_log("host-loss", 1).add_many(np.zeros(2, dtype=[("at", "<i8")]))


def test_a_fault_has_a_name_that_can_be_a_file(run: Run) -> None:
    with pytest.raises(ValueError, match="name a fault"):
        run.probe_log("a/b", 1)
