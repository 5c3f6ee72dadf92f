"""Series: what may be a value, and what a series is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.errors import RunError
from idcbench.runs.directory import Run, create_run, open_run
from idcbench.runs.series import file_name, read_series


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / ".idcbench", target_id="embedded")


def test_values_come_back_with_their_times(run: Run) -> None:
    ready = run.series("cluster.ready", unit="s", better="lower")
    ready.add(8.4, 5)
    ready.add_many([1.0, 2.0], [6, 7])
    ready.add_many(np.array([3.0]), 9)
    header, records = read_series(ready.path)
    assert (header.name, header.unit, header.better) == ("cluster.ready", "s", "lower")
    assert records.tolist() == [(5, 8.4), (6, 1.0), (7, 2.0), (9, 3.0)]


def test_numpy_alone_can_read_a_series(run: Run) -> None:
    ready = run.series("x", unit="ms", better="none", labels={"fault": "host-loss"})
    ready.add_many([1.5, 2.5], 7)
    with ready.path.open("rb") as file:
        header = json.loads(line := file.readline())
    assert header["about"]["labels"] == {"fault": "host-loss"}
    mapped = np.memmap(ready.path, dtype=[("at_ns", "<i8"), ("value", "<f8")], mode="r", offset=len(line))
    assert mapped["value"].tolist() == [1.5, 2.5]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused_and_nothing_is_added(run: Run, value: float) -> None:
    series = run.series("x", unit="ms", better="lower", signed=True)
    with pytest.raises(ValueError, match="no values"):
        series.add_many([1.0, value])
    with pytest.raises(ValueError, match="no values"):
        series.add(value)
    assert len(read_series(series.path)[1]) == 0


def test_a_negative_value_needs_a_signed_series(run: Run) -> None:
    with pytest.raises(ValueError, match=r"-3\.0 ms is negative; declare it signed=True"):
        run.series("x", unit="ms", better="lower").add(-3)
    offset = run.series("clock.offset", unit="ms", better="none", signed=True)
    offset.add(-3)
    assert read_series(offset.path)[1]["value"].tolist() == [-3.0]


def test_times_must_be_as_many_as_values(run: Run) -> None:
    series = run.series("x", unit="ms", better="lower")
    with pytest.raises(ValueError, match="iterator"):
        series.add_many([1.0, 2.0], [1])


def test_a_series_is_opened_by_many_and_the_first_definition_stands(run: Run) -> None:
    first = run.series("x", unit="ms", better="lower", definition="one")
    again = open_run(run.path).series("x", unit="ms", better="lower", definition="another")
    assert again == first
    assert again.header.definition == "one"


@pytest.mark.parametrize("other", [{"unit": "s"}, {"better": "higher"}, {"clock": "realtime"}, {"signed": True}])
def test_a_series_cannot_be_two_things(run: Run, other: dict[str, object]) -> None:
    run.series("x", unit="ms", better="lower")
    with pytest.raises(ValueError, match="it is there as"):
        run.series("x", **({"unit": "ms", "better": "lower"} | other))


def test_a_name_is_checked(run: Run) -> None:
    with pytest.raises(ValueError, match="a series' name begins with a letter"):
        run.series("../x", unit="ms", better="lower")


def test_a_series_whose_file_is_gone_says_so(run: Run) -> None:
    series = run.series("x", unit="ms", better="lower")
    series.path.unlink()
    with pytest.raises(RunError, match="No such file"):
        series.add(1)


LABELS = st.dictionaries(st.text(max_size=30), st.text(max_size=120), max_size=5)


@given(LABELS, LABELS)
def test_file_names_differ_as_the_labels_do(one: dict[str, str], other: dict[str, str]) -> None:
    assert (file_name("x", one) == file_name("x", other)) == (one == other)
    assert "/" not in file_name("x", one)
    assert len(file_name("x" * 300, one).encode()) < 200
