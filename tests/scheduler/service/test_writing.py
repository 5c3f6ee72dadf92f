"""What is written, and how: connections, limits, series of events, patches."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from fake_api import Hang
from msgspec.json import decode
from running import QUICK
from scheduler_api import PODS, SchedulerApi

from idcbench.kube.listing import Listing
from idcbench.kube.objects import Condition, ObjectMeta
from idcbench.scheduler.decisions import Unplaced
from idcbench.scheduler.objects import Pod, PodSpec, PodStatus
from idcbench.scheduler.service import recorder as recorder_module
from idcbench.scheduler.service import status
from idcbench.scheduler.service.eventbody import NOTE_MOST, event, series
from idcbench.scheduler.service.fence import Fence
from idcbench.scheduler.service.gangs import Gangs
from idcbench.scheduler.service.journal import Journal
from idcbench.scheduler.service.ledger import Ledger
from idcbench.scheduler.service.measures import Tally
from idcbench.scheduler.service.queue import SchedulingQueue
from idcbench.scheduler.service.recorder import Recorder
from idcbench.scheduler.service.settings import WriteSettings
from idcbench.scheduler.service.write import Answer, Write
from idcbench.scheduler.service.writer import Writer


def pod(name: str = "a", *, version: int = 7, node: str = "", uid: str = "", **of: Any) -> Pod:
    meta = ObjectMeta(
        name=name, namespace="default", uid=uid or f"uid-{name}", resource_version=str(version), generation=3
    )
    return Pod(metadata=meta, spec=PodSpec(node_name=node, scheduler_name="default-scheduler"), **of)


async def test_no_more_connections_than_allowed_and_all_is_written(api: SchedulerApi) -> None:
    settings = WriteSettings(connections=5, request_limit_s=2)
    answers: list[int] = []
    async with Writer(api.access, settings, Fence.always_open(), Tally()) as writer:
        for number in range(200):
            body = json.dumps({"metadata": {"name": f"p{number}"}}).encode()
            writer.submit(
                Write("POST", PODS, body, lambda answer: answers.append(answer.status), event=number % 2 == 0)
            )
        assert await writer.drain(events=True, limit_s=10)
        assert writer._servers[0].connections <= 5
    assert answers == [201] * 200
    assert len(api.pods()) == 200


async def test_a_write_that_hangs_ends_at_its_limit_and_the_others_go_on(api: SchedulerApi) -> None:
    api.next(Hang(), method="POST")
    settings = WriteSettings(connections=2, request_limit_s=0.3)
    async with Writer(api.access, settings, Fence.always_open(), Tally()) as writer:
        bodies = [json.dumps({"metadata": {"name": f"p{number}"}}).encode() for number in range(20)]
        answers = await asyncio.gather(*(writer.write("POST", PODS, body) for body in bodies))
    assert sorted(answer.status for answer in answers) == [0, *[201] * 19]
    assert all(answer.sent for answer in answers)


async def test_a_closed_fence_lets_nothing_out_but_events(api: SchedulerApi) -> None:
    async with Writer(api.access, WriteSettings(connections=2), Fence(), Tally()) as writer:
        answer = await writer.write("POST", PODS, b'{"metadata":{"name":"a"}}')
        assert (answer.status, answer.sent, answer.fenced) == (0, False, True)
        told: list[Answer] = []
        writer.submit(Write("POST", PODS, b'{"metadata":{"name":"e"}}', told.append, event=True))
        assert await writer.drain(events=True, limit_s=5)
    assert list(api.pods()) == ["e"]


async def test_what_was_cancelled_before_it_was_sent_is_not_sent(api: SchedulerApi) -> None:
    told: list[Answer] = []
    async with Writer(api.access, WriteSettings(connections=1), Fence.always_open(), Tally()) as writer:
        write = Write("POST", PODS, b'{"metadata":{"name":"a"}}', told.append)
        writer.submit(write)
        write.cancelled = True
        assert await writer.drain(events=True, limit_s=5)
    assert [(answer.sent, answer.fenced) for answer in told] == [(False, False)]
    assert api.pods() == {}


@dataclass
class Sink:
    """Stands for the writer: keeps what is written, and answers as told."""

    answers: list[int] = field(default_factory=list)
    written: list[Write] = field(default_factory=list)

    def submit(self, write: Write) -> None:
        self.written.append(write)
        write.settled(Answer(self.answers.pop(0) if self.answers else 201))

    def sent(self) -> list[tuple[str, str, Any]]:
        return [(write.method, write.path, json.loads(write.body)) for write in self.written]


def recorder_on(sink: Sink, *, most: int = 10) -> tuple[Recorder, Tally]:
    tally = Tally()
    return Recorder(sink, WriteSettings(events_most=most), tally), tally  # type: ignore[arg-type]


def test_the_same_again_becomes_a_series_of_the_first() -> None:
    sink = Sink()
    recorder, _ = recorder_on(sink)
    for _ in range(5):
        recorder.failed(pod(), "0/1 nodes are available: 1 Insufficient cpu.")
    recorder.failed(pod(version=8), "0/1 nodes are available: 1 Insufficient cpu.")
    (_, path, first), (method, patched, body), (_, _, other) = sink.sent()
    assert path == "/apis/events.k8s.io/v1/namespaces/default/events"
    assert (method, patched) == ("PATCH", f"{path}/{first['metadata']['name']}")
    assert body["series"]["count"] == 2
    assert (first["regarding"]["resourceVersion"], other["regarding"]["resourceVersion"]) == ("7", "8")
    assert first["reason"] == "FailedScheduling"
    assert (first["action"], first["type"]) == ("Scheduling", "Warning")


def test_a_series_whose_event_is_gone_is_created_anew() -> None:
    sink = Sink(answers=[201, 404, 201])
    recorder, tally = recorder_on(sink)
    for _ in range(2):
        recorder.failed(pod(), "no")
    (_, _, first), _, (method, _, last) = sink.sent()
    assert (method, last["series"]["count"], last["metadata"]["name"]) == ("POST", 2, first["metadata"]["name"])
    assert tally.counts == {"event FailedScheduling": 2}


async def test_a_count_that_overtakes_its_event_is_written_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.001)
    sink = Sink(answers=[201, 404, 409, 200])  # the first was done between the second and the third
    recorder, tally = recorder_on(sink)
    for _ in range(2):
        recorder.failed(pod(), "no")
    while recorder.waiting:
        await asyncio.sleep(0.001)
    assert [method for method, _, _ in sink.sent()] == ["POST", "PATCH", "POST", "PATCH"]
    assert sink.sent()[-1][2]["series"]["count"] == 2
    assert tally.counts == {"event FailedScheduling": 2}


def test_events_beyond_the_most_are_counted_as_dropped(caplog: pytest.LogCaptureFixture) -> None:
    class Silent(Sink):
        def submit(self, write: Write) -> None:
            self.written.append(write)

    sink = Silent()
    recorder, tally = recorder_on(sink, most=3)
    for number in range(5):
        recorder.scheduled(pod(f"p{number}"), "n")
    assert (len(sink.written), recorder.waiting) == (3, 3)
    assert tally.counts == {"dropped Scheduled full": 2}
    assert "events were dropped" in caplog.text


async def test_an_event_that_is_not_taken_is_tried_until_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.001)
    sink = Sink(answers=[500, 0, 403, 503, 409])  # a server that starts, and a lost reply: it was there already
    recorder, tally = recorder_on(sink)
    recorder.scheduled(pod(), "n")
    while recorder.waiting:
        await asyncio.sleep(0.001)
    assert len({body["metadata"]["name"] for _, _, body in sink.sent()}) == 1
    assert tally.counts == {"event Scheduled": 1}


def test_a_note_is_cut_to_what_the_server_takes_and_quoted() -> None:
    made = event("FailedScheduling", pod(), 'say "é"' * 500, reporter="default-scheduler")
    note = decode(made.body())["note"]
    assert len(note.encode()) <= NOTE_MOST
    assert note.endswith(" ...")
    assert decode(made.body(series(4)))["series"]["count"] == 4


def test_a_condition_is_patched_only_when_it_is_news() -> None:
    patch = decode(status.not_scheduled(pod(), "Unschedulable", "full") or b"")
    assert patch["metadata"] == {"uid": "uid-a"}
    (condition,) = patch["status"]["conditions"]
    assert (condition["status"], condition["reason"], condition["observedGeneration"]) == ("False", "Unschedulable", 3)
    said = Condition("PodScheduled", "False", "Unschedulable", "full", "2026-01-01T00:00:00Z")
    told = pod(status=PodStatus(conditions=(said,)))
    assert status.not_scheduled(told, "Unschedulable", "full") is None
    again = decode(status.not_scheduled(told, "Unschedulable", "fuller") or b"")["status"]["conditions"][0]
    assert again["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    nominated = decode(status.not_scheduled(told, "Unschedulable", "full", nominated="n") or b"")
    assert nominated["status"] == {"nominatedNodeName": "n"}


class Engine:
    """Counts the pods that it is told of, by uid."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    def set(self, _resource: str, obj: Pod) -> None:
        self.held.add(obj.metadata.uid)

    def remove(self, _resource: str, obj: Pod) -> None:
        self.held.discard(obj.metadata.uid)

    def forget(self, pod: Pod) -> None:
        self.held.discard(pod.metadata.uid)

    def nominate(self, _pod: Pod, _node: str | None) -> None:
        return


def ledger() -> tuple[Ledger, SchedulingQueue, Engine]:
    engine = Engine()
    queue = SchedulingQueue(QUICK, Tally(), Gangs())
    return Ledger(engine, queue, ("default-scheduler",)), queue, engine  # type: ignore[arg-type]


def test_a_list_takes_away_what_is_gone_and_not_what_came_after_it() -> None:
    kept, queue, engine = ledger()
    for each in (pod("gone", version=5, node="n"), pod("old", version=6), pod("new", version=12)):
        kept.hear("ADDED", each)
    kept.reconcile(Listing(items=(pod("old", version=9, node="n"),), resource_version="10", received_ns=0))
    assert engine.held == {"uid-old"}
    assert "uid-new" in queue
    kept.hear("MODIFIED", pod("gone", version=7, node="n"))  # the watch is behind
    kept.hear("MODIFIED", pod("old", version=8))
    assert engine.held == {"uid-old"}
    assert "uid-old" not in queue


def test_an_assumption_is_confirmed_or_taken_back() -> None:
    kept, queue, engine = ledger()
    for name in ("a", "b"):
        kept.hear("ADDED", pod(name))
        engine.held.add(f"uid-{name}")
    entities = {each.pods[0].metadata.name: each for each in queue.pop(2)}
    for name in ("a", "b"):
        kept.assume(pod(name), "n")
    kept.hear("MODIFIED", pod("a", version=8, node="n"))
    assert (kept.assumed, kept.assigned, engine.held) == (1, 1, {"uid-a", "uid-b"})
    assert not kept.unassume("uid-a")
    assert kept.unassume("uid-b")
    queue.put_back(entities["b"])
    assert (engine.held, queue.pending()["active"]) == ({"uid-a"}, 1)
    kept.hear("DELETED", pod("a", version=9, node="n"))
    assert (kept.assigned, engine.held) == (0, set())


def test_the_journal_keeps_the_last_and_how_they_ended() -> None:
    journal = Journal(3)
    for number in range(5):
        journal.decided(Unplaced(pod(f"p{number}"), 1), attempt=number)
    journal.ended("uid-p4", "bound")
    assert [entry.key for entry in journal] == ["default/p2", "default/p3", "default/p4"]
    (entry,) = journal.of("default/p4")
    assert (entry.attempt, entry.outcome) == (4, "bound")
    assert abs(entry.decided_s - time.time()) < 60
    assert journal.of("default/p0") == []
