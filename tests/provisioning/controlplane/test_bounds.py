"""Bounds on an outage, as the timers of each profile imply them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.cluster import Timers
from idcbench.provisioning.controlplane import bounds
from idcbench.provisioning.controlplane.bounds import Fault, outage_bound
from idcbench.provisioning.controlplane.timers import PROFILES

DEFAULT = PROFILES["default"]
FAULTS: tuple[Fault, ...] = ("apiserver-kill", "etcd-leader-kill", "host-loss")
TIMERS = st.builds(
    Timers,
    vrrp_advert_s=st.floats(0.05, 5),
    check_inter_ms=st.integers(50, 5000),
    check_fast_ms=st.integers(50, 2000),
    check_fall=st.integers(1, 5),
    connect_ms=st.integers(50, 5000),
    etcd_heartbeat_ms=st.integers(10, 500),
    etcd_election_ms=st.integers(100, 10_000),
    lease_s=st.just(15.0),
    renew_s=st.just(10.0),
    retry_s=st.just(2.0),
)


def value(timers: Timers, fault: Fault, *, reused: bool = False, with_leader: bool = False) -> float:
    bound = outage_bound(timers, fault, members=3, reused=reused, with_leader=with_leader, deadline_ms=1000)
    assert bound is not None
    return bound.value_ms


def test_the_parts_of_the_default_profile() -> None:
    assert bounds.master_down_ms(DEFAULT, priority=110) == pytest.approx(3 * 500 + 146 / 256 * 500)
    assert bounds.election_ms(DEFAULT) == 2100
    assert bounds.refused_ms(DEFAULT) == 700
    assert bounds.unanswered_ms(DEFAULT) == 1700


@pytest.mark.parametrize(
    ("profile", "election_ms", "host_ms", "both_ms"), [("default", 2200, 1885, 2200), ("fast", 1150, 814, 1150)]
)
def test_the_bounds_of_the_profiles(profile: str, election_ms: float, host_ms: float, both_ms: float) -> None:
    timers = PROFILES[profile]  # type: ignore[index]
    assert value(timers, "etcd-leader-kill") == pytest.approx(election_ms, abs=1)
    assert value(timers, "host-loss") == pytest.approx(host_ms, abs=1)
    assert value(timers, "host-loss", with_leader=True) == pytest.approx(both_ms, abs=1)


def test_reused_connections_wait_one_deadline_more_only_when_their_host_is_lost() -> None:
    assert value(DEFAULT, "host-loss", reused=True) == value(DEFAULT, "host-loss") + 1000
    for fault in ("apiserver-kill", "etcd-leader-kill"):
        assert value(DEFAULT, fault, reused=True) == value(DEFAULT, fault)


def test_a_haproxy_that_notices_late_adds_one_connect() -> None:
    slow = replace(DEFAULT, check_inter_ms=2000)
    assert value(slow, "host-loss") == value(DEFAULT, "host-loss") + DEFAULT.connect_ms


@pytest.mark.parametrize("fault", FAULTS)
def test_one_member_has_no_bound(fault: Fault) -> None:
    assert outage_bound(DEFAULT, fault, members=1, deadline_ms=1000) is None


@given(timers=TIMERS, fault=st.sampled_from(FAULTS), reused=st.booleans(), with_leader=st.booleans())
def test_slower_timers_never_promise_more(timers: Timers, fault: Fault, reused: bool, with_leader: bool) -> None:
    slower = replace(timers, vrrp_advert_s=timers.vrrp_advert_s * 2, etcd_election_ms=timers.etcd_election_ms * 2)
    now, then = (value(it, fault, reused=reused, with_leader=with_leader) for it in (timers, slower))
    assert 0 < now <= then + timers.connect_ms  # a later virtual IP may save the one try of a dead API server


@pytest.mark.parametrize("fault", FAULTS)
def test_the_explanation_names_the_timers(fault: Fault) -> None:
    named = {"apiserver-kill": "500 ms", "etcd-leader-kill": "1000 ms", "host-loss": "0.5 s"}
    bound = outage_bound(DEFAULT, fault, members=3, deadline_ms=1000)
    assert bound is not None
    assert named[fault] in bound.explanation
    assert bound.explanation.endswith(".")
