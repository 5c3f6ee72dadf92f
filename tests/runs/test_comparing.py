"""Two run directories set side by side, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from idcbench.errors import RunError, UsageError
from idcbench.runs.cautions import DRIFT, PARTS
from idcbench.runs.comparing import compare_runs
from idcbench.runs.comparison import Difference
from idcbench.runs.directory import Run, create_run
from idcbench.runs.schema import Better, TestCounts, Validity

Make = Callable[..., Run]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a finished run of rounds, each of 400 latencies around ``factor``; ``fill`` adds to it before its end."""

    def made(
        factor: float = 1.0, *, rounds: int = 10, seed: int = 0, ab: str = "", value: str = "", name: str = "run",
        fill: Callable[[Run], None] = lambda _: None, validity: Validity | None = None, **options: object,
    ) -> Run:  # fmt: skip
        run = create_run(tmp_path, target_id="embedded", name=name)
        draw = np.random.default_rng(seed)
        for number in range(rounds):
            begin = 1_000_000 * number
            run.happened("round-began", at_ns=begin, number=number)
            series = run.series("api.latency", unit="ms", better="lower", labels={"verb": "GET"}, headline=True)
            series.add_many(factor * draw.lognormal(1 + 0.02 * draw.normal(), 0.3, 400), range(begin, begin + 400))
            run.happened("round-ended", at_ns=begin + 1000, number=number)
        fill(run)
        facts = {"cluster": {"profile": options.get("profile", "fast"), "ready_s": factor}}
        if ab:
            facts["ab"] = {"id": ab, "key": "profile", "value": value}
        run.finish(tests=TestCounts(), checks=(), facts=facts, options=options, validity=validity or Validity())
        return run

    return made


def only(found: Sequence[Difference], name: str, quantile: str = "value") -> Difference:
    (one,) = [each for each in found if (each.name, each.quantile) == (name, quantile)]
    return one


def add(
    name: str, values: Sequence[float], *, unit: str = "s", better: Better = "lower", **about: bool
) -> Callable[[Run], None]:
    return lambda run: run.series(name, unit=unit, better=better, **about).add_many(values, range(len(values)))


def test_interleaved_rounds_are_paired_and_the_setting_is_no_caution(make: Make) -> None:
    a = make(1.0, ab="x", value="default", profile="default")
    b = make(1.3, ab="x", value="fast", profile="fast", seed=1)
    found = compare_runs(a, b)
    assert (found.key, found.interleaved, found.a.value, found.b.value) == ("profile", True, "default", "fast")
    assert found.warnings == ()
    assert found.changed == ()
    p50, p99 = found.headlines
    assert (p50.word, p99.word) == ("worse", "worse")
    assert p50.value == pytest.approx(1.3, rel=0.03)
    assert p50.rounds == (10, 10)
    assert p50.samples == (4000, 4000)
    assert p50.p is not None
    assert p50.p_corrected == pytest.approx(2 * p50.p)  # Holm, of two


def test_a_round_that_one_side_lacks_is_left_out(make: Make) -> None:
    assert only(compare_runs(make(ab="x"), make(ab="x", rounds=7)).headlines, "api.latency", "p50").rounds == (7, 7)


def test_other_runs_are_not_paired_and_drift_is_not_excluded(make: Make) -> None:
    found = compare_runs(make(), make(1.3, rounds=8, seed=1, nodes=5))
    assert not found.interleaved
    assert found.warnings == (DRIFT,)
    assert only(found.headlines, "api.latency", "p99").rounds == (10, 8)
    assert [one.key for one in found.changed] == ["options.nodes"]


def test_the_same_and_not_the_same(make: Make) -> None:
    found = compare_runs(make(ab="x"), make(ab="x", seed=1), minimum_effect=0.1)
    assert {one.word for one in found.headlines} == {"same"}
    assert compare_runs(make(), make(1.04, seed=1), minimum_effect=0.001).headlines[0].word == "worse"


def test_a_run_without_rounds_is_cut_into_parts_and_repetitions_stand_for_themselves(make: Make) -> None:
    draw = np.random.default_rng(1)
    outages = add("outage", [100.0 + each for each in range(12)], repetition=True)
    first = make(rounds=0, fill=lambda run: [outages(run), add("startup", draw.lognormal(1, 0.1, 5000))(run)])  # type: ignore[func-returns-value]
    second = make(rounds=0, fill=lambda run: [outages(run), add("startup", draw.lognormal(1, 0.1, 500))(run)])  # type: ignore[func-returns-value]
    found = compare_runs(first, second)
    assert found.warnings == (DRIFT, PARTS)
    one = only(found.exploratory, "outage")
    assert (one.kind, one.rounds, one.word) == ("repetitions", (12, 12), "same")
    one = only(found.exploratory, "startup", "p50")
    assert (one.kind, one.rounds, one.samples) == ("parts", (10, 10), (5000, 500))
    one = only(found.exploratory, "startup", "p99")
    assert one.word == "insufficient"
    assert one.why == "has 50 samples in a round, and a p99 needs 299"


@pytest.mark.parametrize(
    ("values", "word", "why"),
    [
        ([], "insufficient", "has no samples"),
        ([1.0], "cannot tell", ""),
        ([2.0] * 8, "same", ""),
        ([0.0] * 8, "same", ""),
    ],
)
def test_few_and_equal_values(make: Make, values: list[float], word: str, why: str) -> None:
    fill = add("x", values, repetition=True)
    one = compare_runs(make(fill=fill), make(fill=fill)).exploratory[0]
    assert (one.word, one.why) == (word, why)


@pytest.mark.parametrize(
    ("bad", "why"), [(-1.0, "has negative values, as a clock that is set back makes them"), (float("nan"), "holds NaN")]
)
def test_values_that_cannot_be_are_named(make: Make, bad: float, why: str) -> None:
    """No writer of ours lets them through; a file may come from elsewhere."""

    def spoil(run: Run) -> None:
        series = run.series("x", unit="s", better="lower", repetition=True)
        series.add_many([1.0, 2.0])
        with series.path.open("r+b") as file:
            file.seek(-8, 2)
            file.write(np.float64(bad).tobytes())

    found = compare_runs(make(fill=spoil), make(fill=spoil))
    assert only(found.exploratory, "x").why.startswith(why)


def test_damage_invalid_and_interrupted_runs_are_cautions(make: Make, tmp_path: Path) -> None:
    invalid = make(validity=Validity(valid=False, reasons=("too late",)))
    cut = create_run(tmp_path, target_id="embedded")
    add("api.latency", [1.0] * 20, unit="ms")(cut)
    add("startup", [1.0] * 20)(invalid)
    broken = next(invalid.path.glob("samples/startup*"))
    broken.write_bytes(broken.read_bytes()[:30])
    found = compare_runs(invalid, make())
    assert f"the figures of {found.a.id} are invalid: too late" in found.warnings
    assert any("is damaged and its metric is missing" in warning for warning in found.warnings)
    labelled = cut.series("api.latency", unit="ms", better="lower", labels={"verb": "GET"})
    labelled.add_many([1.0] * 20)
    found = compare_runs(make(), cut)
    assert any("was cut off before its end" in warning for warning in found.warnings)
    assert only(found.headlines, "api.latency", "p50").rounds == (10, 10)


def test_a_file_that_was_cut_gives_what_there_is(make: Make) -> None:
    a, b = make(), make()
    path = next(b.path.glob("samples/*"))
    path.write_bytes(path.read_bytes()[:-7])
    assert compare_runs(a, b).headlines[0].samples == (4000, 3999)


def test_nothing_in_common_and_units_that_differ(make: Make) -> None:
    ms, s = (make(fill=add("x", [1.0], unit=unit)) for unit in ("ms", "s"))
    assert "the unit or direction is another in the other run, so this is left out: x" in compare_runs(ms, s).warnings
    found = compare_runs(make(fill=add("x", [1.0])), make())
    assert f"only {found.a.id} has x" in found.warnings
    with pytest.raises(RunError, match="have no metric in common; compare runs of one suite"):
        compare_runs(make(rounds=0, fill=add("x", [1.0])), make(rounds=0, fill=add("y", [1.0])))


def test_unlike_targets_and_a_run_with_itself(make: Make) -> None:
    found = compare_runs(make(target="embedded"), make(target="kind"))
    assert any("the targets are unlike (embedded and kind)" in warning for warning in found.warnings)
    run = make()
    assert "this is one run, compared with itself" in compare_runs(run, run).warnings


def test_headlines_may_be_chosen_and_are_at_most_ten(make: Make) -> None:
    def many(run: Run) -> None:
        for number in range(12):
            add(f"m{number:02d}", [1.0] * 8, repetition=True, headline=True)(run)

    a, b = make(fill=many), make(fill=many)
    found = compare_runs(a, b)
    assert len(found.headlines) == 10
    assert (
        "only 10 comparisons can be headlines; these are judged with all others: m08, m09, m10, m11" in found.warnings
    )
    assert {one.name for one in compare_runs(a, b, headlines=["m11"]).headlines} == {"m11"}
    with pytest.raises(UsageError, match="--headline nothing: not a metric of both runs"):
        compare_runs(a, b, headlines=["nothing"])
    with pytest.raises(UsageError, match="11 comparisons"):
        compare_runs(a, b, headlines=[f"m{number:02d}" for number in range(11)])


def test_three_runs_are_judged_against_the_first_as_one_family(make: Make) -> None:
    a = make(1.0, ab="x", value="1.34", kubernetes="1.34", fill=add("startup", [1.0] * 8, repetition=True))
    b = make(1.3, ab="x", value="1.35", kubernetes="1.35", seed=1)
    c = make(0.7, ab="x", value="1.37", kubernetes="1.37", seed=2)
    found = compare_runs(a, b, c)
    assert list(found.sides) == ["A", "B", "C"]
    assert [side.value for side in found.sides.values()] == ["1.34", "1.35", "1.37"]
    assert [(one.quantile, one.side, one.word) for one in found.headlines] == [
        ("p50", "B", "worse"), ("p50", "C", "better"), ("p99", "B", "worse"), ("p99", "C", "better"),
    ]  # fmt: skip
    assert [one.p_corrected for one in found.headlines] == [pytest.approx(4 * (one.p or 0)) for one in found.headlines]
    assert compare_runs(a, b).headlines[0].value == found.headlines[0].value
    assert [one.values for one in found.changed if one.key == "options.kubernetes"] == [("1.34", "1.35", "1.37")]


def test_a_side_that_lacks_a_metric_is_named_and_the_others_are_compared(make: Make) -> None:
    fill = add("startup", [1.0] * 8, repetition=True)
    found = compare_runs(make(fill=fill), make(), make(fill=fill, nodes=3))
    assert [one.side for one in found.exploratory if one.name == "startup"] == ["C"]
    assert f"only {found.a.id} has startup" in found.warnings
    assert found.warnings.count(DRIFT) == 1
    assert found.changed[0].values == ("–", "–", "3")


def test_more_runs_than_letters_are_refused(make: Make) -> None:
    run = make(rounds=5)
    with pytest.raises(UsageError, match="9 runs: at most 8 can be told apart side by side"):
        compare_runs(*[run] * 9)
