"""What a change buys and what it costs, in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from idcbench.reports.balance import MOST, groups
from idcbench.reports.comparing_text import render_comparison_markdown, render_comparison_terminal
from idcbench.runs.comparison import Comparison, Difference, Side


def difference(name: str, word: Any, value: float | None = 2.0, **more: Any) -> Difference:
    given = {"labels": {}, "unit": "ms", "better": "lower", "quantile": "value", "kind": "rounds", "rounds": (10, 10),
             "samples": (10, 10), "a": 10.0, "b": 20.0, "value": value, "p_corrected": 0.01}  # fmt: skip
    return Difference(name=name, word=word, **{**given, **more})


def comparison(*differences: Difference, key: str = "control-planes") -> Comparison:
    a, b = (
        Side(id=f"embedded-ab/000{n}", path="x", started="2026-01-01T00:00:00Z", value=str(n),
             remarks=("outages of x: nobody could take over; let back after 30 s",) if n == 1 else ())
        for n in (1, 3)
    )  # fmt: skip
    return Comparison(
        a=a, b=b, key=key, interleaved=bool(key), minimum_effect=0.05, differences=tuple(differences)
    )  # fmt: skip


def test_what_is_better_is_bought_what_is_worse_is_the_cost() -> None:
    bought, costs, undecided = groups(
        comparison(
            difference("outage", "better", 0.1, headline=True, a=1000.0, b=100.0),
            difference("api", "worse", 1.5),
            difference("other", "cannot tell", headline=True, more_rounds=5),
            difference("alike", "same"),
            difference("measure.probe_cpu_share", "worse"),
        )
    )
    assert asdict(bought) == {
        "title": "What control-planes=3 buys over control-planes=1",
        "told": ("outage from 1 s to 100 ms: 0.1 times",),
    }
    assert costs.told == ("api from 10 ms to 20 ms: 1.5 times, exploratory",)
    assert undecided.told == ("other from 10 ms to 20 ms; 5 more rounds would tell",)


def test_headlines_come_first_then_the_largest_and_not_all_are_named() -> None:
    small = [difference(f"m{n}", "worse", 1.1 + n / 100) for n in range(MOST)]
    _, costs = groups(
        comparison(*small, difference("big", "worse", 9.0), difference("head", "worse", 1.1, headline=True))
    )
    assert costs.told[0].startswith("head ")
    assert costs.told[1].startswith("big ")
    assert costs.told[-1] == "and 2 more, below"
    assert len(costs.told) == MOST + 1


def test_nothing_certain_is_said_to_be_nothing_certain() -> None:
    bought, costs = groups(comparison(difference("x", "insufficient", None, a=None, b=None)))
    assert bought.told == costs.told == ("Nothing that is certain.",)


def test_runs_that_were_not_made_to_differ_have_plain_findings() -> None:
    (plain,) = groups(comparison(difference("x", "worse"), key=""))
    assert plain.title == ""
    assert groups(comparison(difference("x", "same"), key="")) == ()


def test_both_texts_have_them_and_the_cause_of_the_outages() -> None:
    it = comparison(difference("outage", "better", 0.1, headline=True))
    for text in (render_comparison_terminal(it), render_comparison_markdown(it)):
        assert "What control\\-planes=3 buys" in text or "What control-planes=3 buys" in text
        assert "nobody could take over; let back after 30 s" in text
