"""Which exits a fault explains: the rule as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.cluster import COMPONENTS, Happening
from idcbench.plugin.watchdog import AFTERMATH_S, LASTING, Act, account, acts_of, exits, unexplained

S = 1_000_000_000


def exited(component: str, at_s: float, host: str = "cp1", **more: object) -> Happening:
    return Happening(at_ns=int(at_s * S), host=host, component=component, what="exited", asked=False, **more)  # type: ignore[arg-type]


def act(verb: str, host: str = "cp1", component: str = "", at_s: float = 100) -> Act:
    return Act(at_ns=int(at_s * S), verb=verb, host=host, component=component)


@pytest.mark.parametrize(
    ("acts", "component", "host", "at_s", "explained"),
    [
        ([act("kill", component="etcd")], "etcd", "cp1", 101, True),
        ([act("kill", component="etcd")], "etcd", "cp1", 99, False),
        ([act("kill", component="etcd")], "etcd", "cp2", 101, False),
        ([act("kill", component="etcd")], "kube-apiserver", "cp1", 101, True),
        ([act("kill", component="etcd")], "kube-apiserver", "cp2", 101, False),
        ([act("kill", component="etcd")], "kube-scheduler", "cp3", 101, True),
        ([act("kill", component="etcd")], "haproxy", "cp1", 101, False),
        ([act("kill", component="kube-apiserver")], "kube-controller-manager", "cp2", 115, True),
        ([act("kill", component="kube-apiserver")], "etcd", "cp1", 101, False),
        ([act("kill", component="haproxy")], "kube-scheduler", "cp1", 101, False),
        ([act("link-silent")], "keepalived", "cp1", 101, True),
        ([act("link-silent")], "etcd", "cp2", 101, False),
        ([act("link-silent")], "kube-scheduler", "cp2", 101, True),
        ([act("kill", component="etcd")], "etcd", "cp1", 100 + AFTERMATH_S + 1, False),
        ([act("freeze", component="etcd")], "etcd", "cp1", 100 + AFTERMATH_S + 1, True),
        ([act("freeze", component="etcd"), act("thaw", component="etcd", at_s=110)], "etcd", "cp1", 139, True),
        ([act("freeze", component="etcd"), act("thaw", component="etcd", at_s=110)], "etcd", "cp1", 141, False),
        ([act("freeze-host"), act("thaw-host", host="cp2", at_s=110)], "etcd", "cp1", 200, True),
        ([act("link-no-carrier"), act("link-up", at_s=110)], "kube-scheduler", "cp3", 200, False),
    ],
)
def test_the_rule(acts: list[Act], component: str, host: str, at_s: float, explained: bool) -> None:
    assert (not unexplained([exited(component, at_s, host)], acts)) is explained


def test_without_any_act_every_exit_is_unexplained() -> None:
    found = [exited(component, 1) for component in COMPONENTS]
    assert unexplained(found, []) == found


@given(st.sampled_from(sorted(LASTING)), st.sampled_from(COMPONENTS), st.floats(0, 1e5))
def test_what_was_broken_itself_explains_its_exit_as_long_as_it_lasts(
    verb: str, component: str, later_s: float
) -> None:
    broken = act(verb, component="" if "-" in verb or verb == "limit" else component)
    assert not unexplained([exited(component, 100 + later_s)], [broken])


def test_only_exits_by_themselves_and_in_time_count() -> None:
    asked = Happening(at_ns=5, host="cp1", component="etcd", what="exited", asked=True)
    started = Happening(at_ns=5, host="cp1", component="etcd", what="started", asked=False)
    early, late, inside = exited("etcd", 0), exited("etcd", 3), exited("etcd", 1)
    assert exits([asked, started, early, late, inside], from_ns=1, until_ns=2 * S) == [inside]


def test_acts_are_read_from_the_timeline() -> None:
    events = [
        {"at_ns": 1, "what": "fault", "fault": "x"},
        {"at_ns": 2, "what": "act", "verb": "kill", "host": "cp1", "component": "etcd", "test": "t"},
    ]
    assert acts_of(events) == [Act(at_ns=2, verb="kill", host="cp1", component="etcd")]


def test_the_account_has_the_last_words() -> None:
    said = account([exited("etcd", 1, exit_code=2, last_lines=("a", "panic: no space"))])
    assert "etcd on cp1 exited with 2" in said
    assert "panic: no space" in said
