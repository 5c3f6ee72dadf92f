"""Owners of an address from what ip(8) prints."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.measure.addresses import Change, Holding, changes_in, holds, not_one_owner, owners_over_time
from idcbench.measure.clock import ClockPair

VIP = "10.77.0.100"
CLOCK = ClockPair(realtime_ns=1_795_000_000_000_000_000, monotonic_ns=5_000_000_000, error_ns=0)
AT = "2026-11-18T11:06:40"
"""The wall-clock time of CLOCK."""
OUTPUT = f"""\
[{AT}.000000] 2: eth0    inet 10.77.0.1/24 scope global eth0\\       valid_lft forever preferred_lft forever
[{AT}.250000] 2: eth0    inet {VIP}/24 scope global secondary eth0\\       valid_lft forever preferred_lft forever
[{AT}.300000] 2: eth0    inet {VIP}/24 scope global secondary eth0\\       valid_lft forever preferred_lft forever
garbage that nobody expects
[{AT}.750001] Deleted 2: eth0    inet {VIP}/24 scope global secondary eth0\\       valid_lft forever
"""


def test_changes_are_read_with_their_times() -> None:
    assert changes_in(OUTPUT, host="cp1", address=VIP, clock=CLOCK) == [
        Change(at_ns=5_250_000_000, host="cp1", took=True),
        Change(at_ns=5_750_001_000, host="cp1", took=False),
    ]


def test_an_address_that_only_begins_the_same_is_another() -> None:
    assert changes_in(OUTPUT, host="cp1", address="10.77.0.10", clock=CLOCK) == []


@pytest.mark.parametrize(("address", "held"), [(VIP, True), ("10.77.0.1", False)])
def test_addresses_now(address: str, held: bool) -> None:
    shown = '[{"ifname":"lo","addr_info":[]},{"ifname":"eth0","addr_info":[{"local":"10.77.0.100","prefixlen":24}]},{}]'
    assert holds(shown, address) is held


def test_owners_follow_from_changes_in_any_order() -> None:
    changes = [
        Change(at_ns=30, host="cp1", took=False),
        Change(at_ns=20, host="cp2", took=True),
    ]
    held = owners_over_time({"cp1"}, changes, since_ns=10)
    assert held == [
        Holding(10, frozenset({"cp1"})),
        Holding(20, frozenset({"cp1", "cp2"})),
        Holding(30, frozenset({"cp2"})),
    ]
    assert not_one_owner(held, since_ns=0, until_ns=100) == [held[1]]
    assert not_one_owner(held, since_ns=30, until_ns=100) == []
    assert not_one_owner(held, since_ns=0, until_ns=20) == []


def test_nobody_holding_the_address_is_found_too() -> None:
    held = owners_over_time((), [Change(at_ns=50, host="cp1", took=True)], since_ns=0)
    assert not_one_owner(held, since_ns=0, until_ns=100) == [Holding(0, frozenset())]


@given(
    changes=st.lists(
        st.builds(Change, at_ns=st.integers(0, 100), host=st.sampled_from("abc"), took=st.booleans()), max_size=12
    )
)
def test_each_holding_differs_from_the_one_before(changes: list[Change]) -> None:
    held = owners_over_time((), changes, since_ns=0)
    assert all(later.owners != former.owners for former, later in itertools.pairwise(held))
    assert [holding.since_ns for holding in held] == sorted(holding.since_ns for holding in held)


def test_the_clocks_are_read_together() -> None:
    first, second = ClockPair.read(), ClockPair.read()
    assert abs(first.moved_ms(second)) < 50
    assert abs(first.monotonic_of(second.realtime_ns) - second.monotonic_ns) < 50e6
