"""What a round is made of, once a scheduler has been watched."""

from __future__ import annotations

import msgspec
import pytest

from idcbench.scheduler.bench import templates as t
from idcbench.scheduler.bench.audit import Trace
from idcbench.scheduler.bench.drain import Watched, _contradictions, _is_over
from idcbench.scheduler.bench.reading import Found
from idcbench.scheduler.objects import Pod


def test_usage_is_read_between_two_readings() -> None:
    watched = Watched(started_ns=0, usage=((0, 0.0), (100, 1.0), (200, 3.0)), peak_bytes=0, cores={}, trace=Trace())
    assert [watched.cpu_s(at) for at in (0, 50, 150, 900)] == [0.0, 0.5, 2.0, 3.0]


@pytest.mark.parametrize(
    ("bound", "told", "since_s", "over"),
    [(2, 2, 60.0, False), (3, 3, 0.0, True), (3, 2, 9.9, False), (3, 2, 10.1, True)],
)
def test_over_with_the_last_event_or_after_ten_seconds(bound: int, told: int, since_s: float, over: bool) -> None:
    trace = Trace(bound={f"default/measured-{i}": 1 for i in range(bound)}, scheduled=told)
    assert _is_over(trace, 3, since_s=since_s) is over


@pytest.mark.parametrize(
    ("logged", "node", "says"),
    [
        (True, "a", None),
        (False, "", None),
        (False, "a", "default/measured-1 has a node, and no binding"),
        (True, "", "default/measured-1 was bound, and has no node"),
    ],
)
def test_log_and_pods_must_agree(logged: bool, node: str, says: str | None) -> None:
    pod = msgspec.convert(t.placed(t.pod("measured-1"), node), Pod)
    trace = Trace(bound={"default/measured-1": 1} if logged else {})
    found = Found(nodes=(), pods=(pod,), groups=(), namespaces={}, scheduled={})
    assert _contradictions(trace, found) == ([says] if says else [])
