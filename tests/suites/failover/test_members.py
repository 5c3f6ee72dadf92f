"""Reading members: what etcd's metrics say, and waiting for one that was away."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.kube.access import Access
from idcbench.suites.failover import members
from idcbench.suites.failover.members import EtcdStatus, Member, MemberError, members_of, parse_status

ACCESS = Access(
    server="https://10.0.0.9:8443",
    kubeconfig=Path("/none"),
    members=("https://10.0.0.1:6443", "https://10.0.0.2:6443"),
)
METRICS = """\
# HELP etcd_server_is_leader Whether or not this member is a leader. 1 if is, 0 otherwise.
# TYPE etcd_server_is_leader gauge
etcd_server_is_leader 1
etcd_server_has_leader 1
etcd_server_proposals_committed_total 1.234567e+06
etcd_server_proposals_applied_total 1.234560e+06
etcd_server_id{server_id="8e9e05c52164694d"} 1
etcd_disk_wal_fsync_duration_seconds_count 3
"""
TWO = members_of(ACCESS, [("cp1", "10.0.0.1"), ("cp2", "10.0.0.2")])


def test_metrics_of_etcd_are_read() -> None:
    assert parse_status(METRICS) == EtcdStatus(leads=True, has_leader=True, committed=1234567, applied=1234560)


def test_another_server_is_not_taken_for_etcd() -> None:
    with pytest.raises(KeyError):
        parse_status("go_goroutines 7\n")


def test_each_host_has_its_own_api_server() -> None:
    assert TWO[1] == Member(name="cp2", address="10.0.0.2", server="https://10.0.0.2:6443")
    with pytest.raises(MemberError, match="cp3"):
        members_of(ACCESS, [("cp3", "10.0.0.3")])


class World:
    """Members as they are asked: who is ready, and their raft indices at each time of asking."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.leads = "cp1"
        self.ready = {"cp1", "cp2"}
        monkeypatch.setattr(members, "etcd_status", self.status)
        monkeypatch.setattr(members, "fetch", self.fetch)
        monkeypatch.setattr(members, "POLL_S", 0.001)

    def status(self, _access: Access, member: Member) -> EtcdStatus:
        applied = 10 if member.name == "cp1" else 7
        return EtcdStatus(leads=member.name == self.leads, has_leader=True, committed=10, applied=applied)

    def fetch(self, _access: Access, url: str, **_: float) -> tuple[int, bytes]:
        name = "cp1" if "10.0.0.1" in url else "cp2"
        if name not in self.ready:
            raise ConnectionRefusedError
        return 200, b"ok"


def test_the_leader_is_who_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)
    found = members.leader(ACCESS, TWO)
    assert found is not None
    assert found.name == "cp1"
    world.leads = ""
    assert members.leader(ACCESS, TWO) is None


def test_a_member_that_lags_has_not_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    World(monkeypatch)
    assert members.wait_until_caught_up(ACCESS, TWO, "cp1", timeout_s=1) > 0
    with pytest.raises(MemberError, match="cp2 to be ready and to have caught up"):
        members.wait_until_caught_up(ACCESS, TWO, "cp2", timeout_s=0.05)


def test_all_must_be_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)
    members.wait_until_all_ready(ACCESS, TWO, timeout_s=1)
    world.ready.discard("cp2")
    with pytest.raises(MemberError, match="all of 2 members"):
        members.wait_until_all_ready(ACCESS, TWO, timeout_s=0.05)
