"""Times are read off the audit log of a real API server, however it is cut."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from idcbench.scheduler.bench.audit import AuditTail


def line(
    verb: str, resource: str, name: str, *, at: str = "00.000001", code: int = 201, subresource: str = "",
    **more: Any,
) -> str:  # fmt: skip
    """As kube-apiserver 1.37.2 writes it, without the fields that nobody reads."""
    ref = {"resource": resource, "namespace": "default", "name": name, "apiVersion": "v1"}
    return json.dumps(
        {
            "kind": "Event",
            "level": "Metadata",
            "stage": "ResponseComplete",
            "verb": verb,
            "objectRef": ref | ({"subresource": subresource} if subresource else {}),
            "responseStatus": {"metadata": {}, "code": code},
            "requestReceivedTimestamp": "2026-11-24T08:00:00.000000Z",
            "stageTimestamp": f"2026-11-24T08:00:{at}Z",
            **more,
        }
    )


def tail_of(tmp_path: Path, *lines: str) -> AuditTail:
    log = tmp_path / "audit.log"
    log.write_text("".join(f"{one}\n" for one in lines))
    with closing(AuditTail(log)) as tail:
        tail.poll()
    return tail


def test_bindings_events_and_what_was_refused(tmp_path: Path) -> None:
    trace = tail_of(
        tmp_path,
        line("create", "pods", "measured-1", at="00.500000"),
        line("create", "pods", "measured-1", subresource="binding", at="01.250000"),
        line("create", "pods", "measured-1", subresource="binding", code=409),
        line("create", "pods", "high-1", subresource="binding", at="02.000000"),
        line("create", "events", "measured-1.17abc", at="03.000001"),
        line("patch", "events", "high-1.17abc", code=200),
        line("create", "events", "measured-2.17abc", code=422),
        line("create", "pods", "measured-9", subresource="binding", stage="ResponseStarted"),
    ).trace
    second = 1_795_507_200 * 10**9
    assert trace.bound == {"default/measured-1": second + 1_250_000_000}
    assert trace.created == {"default/measured-1": second + 500_000_000}
    assert trace.written == {"default/measured-1.17abc": second + 3_000_001_000}
    assert (trace.other_bound, trace.event_writes, trace.scheduled) == (1, 2, 1)
    assert trace.refused == {"create pods/binding 409": 1, "create events 422": 1}


def test_only_an_event_after_the_binding_tells_of_it(tmp_path: Path) -> None:
    failed, bound = (
        line("create", "events", "measured-1.17a"),
        line("create", "pods", "measured-1", subresource="binding"),
    )
    assert tail_of(tmp_path, failed, bound).trace.scheduled == 0
    assert tail_of(tmp_path, failed, bound, line("create", "events", "measured-1.17b")).trace.scheduled == 1


def test_a_pod_that_is_bound_twice_is_told(tmp_path: Path) -> None:
    twice = line("create", "pods", "measured-1", subresource="binding")
    assert tail_of(tmp_path, twice, twice).trace.bound_twice == ["default/measured-1"]


def test_lines_come_in_pieces(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    whole = line("create", "pods", "measured-1", subresource="binding") + "\n"
    with closing(AuditTail(log)) as tail:
        assert tail.poll() == 0  # it is not there yet
        log.write_text(whole[:100])
        assert tail.poll() == 0
        log.write_text(whole + whole.replace("measured-1", "measured-2"))
        assert tail.poll() == 2
    assert set(tail.trace.bound) == {"default/measured-1", "default/measured-2"}
