"""The plan of alternating runs: what may differ, the order of rounds, how long they take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.errors import UsageError
from idcbench.options import OPTIONS, Settings
from idcbench.runs.abplan import BRING_UP_S, CHANGE_S, STEADY_S, Turn, changes, guess_s, left_s, parse_ab, turns


def test_a_key_has_two_values_of_its_option() -> None:
    ab = parse_ab("control-planes=1,3")
    assert (ab.key, ab.dest, ab.texts, ab.values, ab.in_place) == (
        *("control-planes", "control_planes", ("1", "3"), (1, 3), False),
    )
    assert parse_ab("--idc-kubernetes= v1.34 , 1.37").texts == ("1.34", "1.37")


@pytest.mark.parametrize(
    ("text", "in_place"),
    [("scheduler=kube-scheduler,idcbench", True), ("scheduler=both,idcbench", False), ("profile=fast,default", False)],
)
def test_only_one_scheduler_for_another_is_switched_in_place(text: str, in_place: bool) -> None:
    assert parse_ab(text).in_place is in_place


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("control-planes", "KEY=a,b is wanted, with KEY one of control-planes, nodes, kubernetes, profile"),
        ("colour=red,blue", "with KEY one of control-planes"),
        ("name=x,y", "with KEY one of control-planes"),
        ("profile=fast", "two values are wanted, such as profile=a,b; found 1"),
        ("profile=fast,default,slow-disk", "found 3"),
        ("profile=fast,fast", "two different values are wanted, both are fast"),
        ("kubernetes=v1.37,1.37", "both are 1.37"),
        ("control-planes=1,2", "--ab control-planes: 1, 3 or 5 is wanted"),
        ("nodes=,3", "--ab nodes: a whole number from 0 on is wanted, found ''"),
        ("profile=fast,quick", "one of fast, default, slow-disk is wanted, found 'quick'"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_wanted(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_ab(text)


def test_each_key_is_a_setting() -> None:
    keys = [option.dest for option in OPTIONS if option.cluster]
    assert all(hasattr(Settings(), key) and hasattr(Settings().spec(), key) for key in keys)


@given(rounds=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_each_pair_has_both_sides_once_and_the_seed_gives_the_order(rounds: int, seed: int) -> None:
    order = turns(rounds, seed=seed)
    assert order == turns(rounds, seed=seed)
    for number in range(1, rounds + 1):
        assert {turn.side for turn in order[2 * number - 2 : 2 * number] if turn.number == number} == {0, 1}
    assert rounds - 1 <= changes(order) + (rounds - 1) <= 3 * rounds


def test_either_side_comes_first_in_about_half_of_the_pairs() -> None:
    firsts = [turn.side for turn in turns(1000, seed=7)[::2]]
    assert 400 < sum(firsts) < 600


def test_the_guess_counts_rounds_changes_and_clusters() -> None:
    order = [Turn(number=1, side=0), Turn(number=1, side=1), Turn(number=2, side=1), Turn(number=2, side=0)]
    assert changes(order) == 2
    own = guess_s(parse_ab("nodes=2,3"), order, suites=[""])
    assert own == 2 * (BRING_UP_S + CHANGE_S) + 2 * CHANGE_S + 4 * (STEADY_S + 60)
    assert guess_s(parse_ab("scheduler=kube-scheduler,idcbench"), order, suites=[""]) < own


def test_what_is_left_follows_from_the_pairs_measured() -> None:
    assert left_s([60.0], 10) == 540.0
    assert left_s([60.0, 300.0, 62.0], 4) == 62.0
    assert left_s([60.0], 1) == 0.0
