"""Why outages last as long as they do."""

from __future__ import annotations

from idcbench.runs.causes import causes_of, causes_said

EVENTS = [
    {"at_ns": 1, "what": "fault", "fault": "apiserver-kill", "cause": "nobody could take over; restarted"},
    {"at_ns": 2, "what": "fault", "fault": "etcd-leader-kill", "cause": "nobody could take over; restarted"},
    {"at_ns": 3, "what": "fault", "fault": "host-loss-silent", "cause": "nobody could take over; let back after 30 s"},
    {"at_ns": 4, "what": "fault", "fault": "other"},
    {"at_ns": 5, "what": "returned", "fault": "other", "cause": "not of a fault"},
]


def test_each_fault_has_its_cause() -> None:
    assert list(causes_of(EVENTS)) == ["apiserver-kill", "etcd-leader-kill", "host-loss-silent"]


def test_faults_of_one_cause_are_told_together() -> None:
    assert causes_said(EVENTS) == (
        "outages of apiserver-kill, etcd-leader-kill: nobody could take over; restarted",
        "outages of host-loss-silent: nobody could take over; let back after 30 s",
    )
