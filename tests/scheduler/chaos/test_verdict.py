"""Each thing that must not happen is called by its name, and what a fault explains is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from idcbench.kube.objects import ObjectMeta, ObjectReference
from idcbench.scheduler.chaos import verdict
from idcbench.scheduler.chaos.bindings import Binding, Bindings
from idcbench.scheduler.chaos.verdict import SchedulerKill
from idcbench.scheduler.objects import Node, Pod, PodSpec
from idcbench.scheduler.objects.node import NodeStatus

S = 1_000_000_000


def pod(name: str, node: str = "", **labels: str) -> Pod:
    meta = ObjectMeta(name=name, namespace="d", uid=f"uid-{name}", labels=labels)
    return Pod(metadata=meta, spec=PodSpec(node_name=node))


def node(name: str, pods: int) -> Node:
    return Node(metadata=ObjectMeta(name=name), status=NodeStatus(allocatable={"pods": str(pods)}))


def done(at_s: float = 0.0, source: str = "10.0.0.1") -> Binding:
    return Binding(round(at_s * S), source, "cp1")


def test_placements() -> None:
    nodes = [node("n", 1)]
    assert list(verdict.placements(nodes, [pod("a", "n")], created=1)) == []
    assert list(verdict.placements(nodes, [pod("a")], created=2)) == [
        "2 pods were created, 1 are there",
        "1 pods have no node: d/a",
    ]
    (crowded,) = verdict.placements(nodes, [pod("a", "n"), pod("b", "n")], created=2)
    assert "2 pods taken by 2 pods, 1 there" in crowded


def test_gangs() -> None:
    gang = {"idcbench.io/gang": "g"}
    members = [pod("a", "n", **gang), pod("b", **gang)]
    assert list(verdict.partial_gangs(members, {"g": 2})) == ["gang g is partial: 1 of its 2 pods have a node"]
    assert list(verdict.partial_gangs(members[:1], {"g": 1})) == []
    assert list(verdict.partial_gangs(members[1:], {"g": 1})) == []


def test_bindings() -> None:
    pods = [pod("a", "n"), pod("b", "n"), pod("c")]
    good = {"uid-a": [done()], "uid-b": [done()]}
    assert list(verdict.bindings(pods, good, unclear=(), server_kills=0)) == []
    assert list(verdict.bindings(pods, {"uid-a": [done()]}, unclear=(), server_kills=1)) == []
    (unlogged,) = verdict.bindings(pods, {"uid-a": [done()]}, unclear=(), server_kills=0)
    assert unlogged.startswith("1 pods have a node and no binding in the audit logs")
    assert list(verdict.bindings(pods, {"uid-a": [done()]}, unclear={"uid-b"}, server_kills=0)) == []
    (twice,) = verdict.bindings(pods, good | {"uid-a": [done(), done(1)]}, unclear=(), server_kills=9)
    assert twice.startswith("pod d/a was bound 2 times")
    assert list(verdict.bindings(pods, good | {"uid-c": [done()]}, unclear=(), server_kills=9)) == [
        "pod d/c was bound, and has no node"
    ]


def test_events_are_lost_only_with_a_scheduler_that_was_killed() -> None:
    pods = [pod("told", "n"), pod("late", "n"), pod("elsewhere", "n"), pod("long-ago", "n"), pod("waits")]
    known = {
        "uid-late": [done(99.0)],
        "uid-elsewhere": [done(99.0, "10.0.0.2")],
        "uid-long-ago": [done(10.0)],
    }
    told = verdict.events_per_pod([ObjectReference(uid="uid-told")])
    kills = [SchedulerKill(at_ns=100 * S, address="10.0.0.1")]
    assert verdict.missing_events(pods, told, known, kills) == (["d/late"], ["d/elsewhere", "d/long-ago"])
    assert verdict.missing_events(pods, told, known, [])[0] == []


def test_the_longest_pause() -> None:
    assert verdict.longest_pause_s([1 * S, 5 * S, 6 * S, 10 * S], 2 * S) == 4.0
    assert verdict.longest_pause_s([1 * S], 2 * S) == 0.0


def line(uid: str, code: int = 201, **changes: Any) -> bytes:
    told = {
        "verb": "create",
        "stage": "ResponseComplete",
        "sourceIPs": ["10.0.0.1"],
        "objectRef": {"resource": "pods", "subresource": "binding", "name": uid, "uid": uid},
        "responseStatus": {"code": code},
        "stageTimestamp": "2026-11-24T11:00:00.5Z",
    }
    return json.dumps(told | changes).encode() + b"\n"


def test_audit_logs_are_read_on_past_a_new_file_and_a_cut_line(tmp_path: Path) -> None:
    logs = {name: tmp_path / f"{name}.log" for name in ("cp1", "cp2")}
    read = Bindings(logs)
    read.poll()
    logs["cp1"].write_bytes(line("a") + line("b", 409) + line("x", 504) + line("c", verb="patch") + b'{"verb":"cre')
    read.poll()
    with logs["cp1"].open("ab") as file:
        file.write(line("lost") + line("d"))
    read.poll()
    logs["cp1"].rename(tmp_path / "cp1-old.log")
    watch = {"resource": "pods", "subresource": "", "name": "", "uid": ""}
    logs["cp1"].write_bytes(line("e") + line("", 200, verb="watch", stage="ResponseStarted", objectRef=watch))
    logs["cp2"].write_bytes(line("a"))
    assert read.poll() == ["e", "a"]
    read.close()
    assert {uid: [one.server for one in each] for uid, each in read.of.items()} == {
        "a": ["cp1", "cp2"], "d": ["cp1"], "e": ["cp1"],
    }  # fmt: skip
    assert (read.refused, read.garbled, len(read), len(read.times_ns())) == ({409: 1, 504: 1}, 1, 3, 4)
    assert read.unclear == {"x"}
    assert read.watched == {"10.0.0.1": "cp1"}
    assert read.of["d"][0].source == "10.0.0.1"
