"""What is measured, in which order, and the forecast."""

from __future__ import annotations

from typing import Any

import pytest

from idcbench.errors import UsageError
from idcbench.scheduler.bench import planning
from idcbench.scheduler.bench.planning import Wanted, forecast_s, in_words
from idcbench.scheduler.bench.rows import ROWS


def wanted(**given: Any) -> Wanted:
    return Wanted(**({"rows": ("basic-500",), "schedulers": ("a", "b"), "arenas": ("real",)} | given))


def test_every_pair_has_every_scheduler_once_in_an_order_that_the_seed_settles() -> None:
    row = ROWS["basic-500"]
    order = list(wanted().order(row, "real"))
    assert [pair for pair, _ in order] == [pair for pair in range(1, 11) for _ in "ab"]
    assert all({name for at, name in order if at == pair} == {"a", "b"} for pair in range(1, 11))
    assert order == list(wanted().order(row, "real"))
    assert order != list(wanted(seed=1).order(row, "real"))
    assert len({name for pair, name in order[::2]}) == 2  # each is first now and then


def test_rounds_are_the_rows_unless_given() -> None:
    assert len(list(wanted(rounds=2).order(ROWS["basic-500"], "real"))) == 4
    assert len(list(wanted().order(ROWS["mixed"], "real"))) == 6


@pytest.mark.parametrize(
    ("given", "says"),
    [({"rows": ("fast",)}, "--row fast"), ({"rounds": 0}, "--rounds 0"), ({"scale": 0.0}, "--scale")],
)
def test_what_cannot_be_meant(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        forecast_s(wanted(**given))


def test_the_forecast_grows_with_what_is_asked_for() -> None:
    one = forecast_s(wanted(rounds=1))
    assert one < forecast_s(wanted(rounds=2))
    assert one < forecast_s(wanted(rounds=1, arrivals=True))
    assert one < forecast_s(wanted(rounds=1, arenas=("real", "memory")))
    assert one > forecast_s(wanted(rounds=1, scale=0.1))
    assert 60 < one < 600


@pytest.mark.parametrize(
    ("seconds", "words"), [(45.2, "45 s"), (720, "12 min"), (12_000, "3 h 20 min"), (5400, "1 h 30 min")]
)
def test_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_two_schedulers_of_one_name() -> None:
    with pytest.raises(UsageError, match="same name"):
        planning.names(["a", "b", "a"])
