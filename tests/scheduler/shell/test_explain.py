"""An explanation in words, and the record that goes over the wire."""

from __future__ import annotations

import msgspec

from idcbench.kube.objects import ObjectMeta
from idcbench.scheduler.decisions import Explanation, NodeScore, Placed, PluginScore, Preemption, Refusal, Unplaced
from idcbench.scheduler.explain.record import Explained, past_of
from idcbench.scheduler.explain.text import NOW, render
from idcbench.scheduler.objects import Pod
from idcbench.scheduler.service.journal import Entry, Journal

POD = Pod(metadata=ObjectMeta(name="web", namespace="shop", uid="u1"))
VICTIM = Pod(metadata=ObjectMeta(name="old", namespace="shop", uid="u2"))
WHY = Explanation(
    "shop/web", 5, (Refusal("NodeResourcesFit", "Insufficient cpu", 3, "node-4 lacks 500m cpu"),),
    (NodeScore("node-1", 300, (PluginScore("TaintToleration", 2.0, 100, 300),)),), chosen="node-1",
)  # fmt: skip


def waits() -> Explained:
    journal = Journal(10)
    refused = Unplaced(POD, 5, (("Insufficient cpu", 5),), frozenset({"NodeResourcesFit"}))
    journal.decided(refused, attempt=1, preemption=Preemption(POD, "node-2", (VICTIM,), 1), explanation=WHY)
    return Explained(pod="shop/web", scheduler="cp1_x", leader=True, past=past_of(journal.of("shop/web")), now=WHY)


def test_a_pod_that_waits() -> None:
    text = render(waits())
    assert "pod shop/web has no node" in text
    assert "0/5 nodes are available: 5 Insufficient cpu." in text
    assert "takes away shop/old on node-2, 1 disruption budgets violated" in text
    assert "node-4 lacks 500m cpu" in text
    assert "5 nodes, 2 can take it" in text
    assert "300 (2→100)" in text
    assert text.index("as it was at that moment") < text.index(NOW)


def test_a_pod_that_is_placed() -> None:
    journal = Journal(10)
    journal.decided(Placed(POD, "node-1", 5), attempt=2)
    journal.ended("u1", "bound")
    told = Explained(pod="shop/web", scheduler="cp1_x", leader=False, bound_to="node-1",
                     past=past_of(journal.of("shop/web")))  # fmt: skip
    text = render(told)
    assert "attempt 2: node node-1, bound; 5 were looked at" in text
    assert "told by cp1_x, which is not the leader" in text
    assert "--today" in text


def test_one_that_nobody_remembers() -> None:
    text = render(Explained(pod="shop/web", scheduler="cp1_x", leader=True))
    assert "no decision about it is kept" in text


def test_a_declined_one() -> None:
    why = Explanation("shop/web", 5, (), (), declined="resource claims are not supported")
    assert "declined: resource claims are not supported" in render(
        Explained(pod="shop/web", scheduler="x", leader=True, now=why)
    )


def test_it_goes_over_the_wire_whole() -> None:
    told = waits()
    assert msgspec.json.decode(msgspec.json.encode(told), type=Explained) == told


def test_an_entry_needs_no_explanation() -> None:
    entry = Entry(uid="u", key="a/b", decided_s=1.0, attempt=1, decision=Unplaced(POD, 0))
    (past,) = past_of([entry])
    assert past.message == "no nodes available to schedule pods"
