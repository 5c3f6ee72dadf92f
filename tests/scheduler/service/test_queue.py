"""The queue by a clock of the test's own: order, back-off, hints, gates and gangs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.kube.objects import ObjectMeta
from idcbench.scheduler.objects import (
    Affinity,
    LabelSelector,
    Pod,
    PodAffinityTerm,
    PodAntiAffinity,
    PodGroup,
    PodSpec,
    SpreadConstraint,
    Toleration,
)
from idcbench.scheduler.objects.pod import SchedulingGate, SchedulingGroup
from idcbench.scheduler.objects.workload import GangPolicy, PodGroupSpec, SchedulingPolicy
from idcbench.scheduler.service.changes import Change
from idcbench.scheduler.service.entity import Entity
from idcbench.scheduler.service.gangs import Gangs
from idcbench.scheduler.service.measures import Tally
from idcbench.scheduler.service.queue import SchedulingQueue
from idcbench.scheduler.service.settings import QueueSettings


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Bench:
    clock: Clock = field(default_factory=Clock)
    tally: Tally = field(default_factory=Tally)
    gangs: Gangs = field(default_factory=Gangs)
    queue: SchedulingQueue = field(init=False)

    def __post_init__(self) -> None:
        self.queue = SchedulingQueue(QueueSettings(), self.tally, self.gangs, clock=self.clock)

    def pop_names(self, most: int = 100) -> list[str]:
        return [pod.metadata.name for entity in self.queue.pop(most) for pod in entity.pods]

    def refused(self, pod: Pod, *plugins: str) -> Entity:
        """A pod that was tried once and refused."""
        self.queue.add(pod)
        (entity,) = self.queue.pop(1)
        self.queue.refuse(entity, plugins)
        return entity

    def places(self) -> dict[str, int]:
        return {str(name): count for name, count in self.queue.pending().items() if count}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def pod(
    name: str, *, priority: int = 0, labels: dict[str, str] | None = None, namespace: str = "default", **spec: Any
) -> Pod:
    meta = ObjectMeta(name=name, namespace=namespace, uid=f"uid-{name}", labels=labels)
    return Pod(metadata=meta, spec=PodSpec(priority=priority, scheduler_name="default-scheduler", **spec))


def test_the_most_urgent_comes_first_then_the_longest_queued(bench: Bench) -> None:
    for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5)):
        bench.clock.now_s += 1
        bench.queue.add(pod(name, priority=priority))
    assert bench.pop_names(3) == ["b", "d", "a"]
    assert bench.pop_names() == ["c"]
    assert not bench.queue.ready


def test_back_off_doubles_from_one_to_ten_seconds(bench: Bench) -> None:
    entity = bench.refused(pod("a"), "NodeName")
    waits = []
    for _ in range(6):
        waits.append(bench.queue.backoff_s(entity))
        bench.clock.now_s += 100
        bench.queue.changed(Change("NodeAdd"))
        (entity,) = bench.queue.pop(1)
        bench.queue.refuse(entity, ("NodeName",))
    assert waits == [1, 2, 4, 8, 10, 10]


def test_a_change_in_time_of_back_off_waits_for_its_end_unless_nothing_else_is_to_do(bench: Bench) -> None:
    bench.refused(pod("a"), "NodeName")
    bench.queue.add(pod("b"))
    bench.queue.changed(Change("NodeAdd"))
    assert bench.places() == {"active": 1, "backoff": 1}
    assert bench.pop_names() == ["b"]
    assert bench.pop_names() == ["a"]
    assert bench.tally.counts["incoming active PopFromBackoffQ"] == 1


def test_an_error_waits_its_back_off_out(bench: Bench) -> None:
    bench.queue.add(pod("a"))
    (entity,) = bench.queue.pop(1)
    bench.queue.fail(entity)
    assert not bench.queue.ready
    assert bench.queue.ripens_in_s == 1.0
    assert bench.pop_names() == []
    bench.clock.now_s += 1
    assert bench.queue.ready
    assert bench.pop_names() == ["a"]


def test_what_nothing_helped_is_tried_again_after_five_minutes(bench: Bench) -> None:
    bench.refused(pod("a"), "NodeName")
    bench.clock.now_s += 299
    bench.queue.flush()
    assert bench.places() == {"unschedulable": 1}
    bench.clock.now_s += 1
    bench.queue.flush()
    (entity,) = bench.queue.pop(1)
    assert entity.flushed
    assert entity.attempts == 2


@pytest.mark.parametrize(
    ("plugin", "label", "helps"),
    [
        ("NodeResourcesFit", "AssignedPodDelete", True),
        ("NodeResourcesFit", "NodeUpdateNodeAllocatable", True),
        ("NodeResourcesFit", "NodeUpdateNodeTaint", False),
        ("NodeResourcesFit", "AssignedPodAdd", False),
        ("TaintToleration", "NodeUpdateNodeTaint", True),
        ("TaintToleration", "AssignedPodDelete", False),
        ("NodeAffinity", "NodeUpdateNodeLabel", True),
        ("NodePorts", "AssignedPodDelete", True),
        ("PodTopologySpread", "NodeDelete", True),
        ("VolumeBinding", "PersistentVolumeAdd", True),
        ("VolumeBinding", "AssignedPodDelete", False),
        ("NodeVolumeLimits", "storage.k8s.io/CSINodeUpdate", True),
        ("SomethingNew", "AssignedPodDelete", True),
        ("Declined", "NodeAdd", False),
    ],
)
def test_only_what_can_satisfy_the_filter_helps(bench: Bench, plugin: str, label: str, helps: bool) -> None:
    bench.refused(pod("a"), plugin)
    bench.clock.now_s += 60
    bench.queue.changed(Change(label, pod("other")))
    assert bench.places() == {"active" if helps else "unschedulable": 1}


def test_affinity_is_helped_by_pods_that_its_terms_match(bench: Bench) -> None:
    wanted = PodAffinityTerm(label_selector=LabelSelector(match_labels={"app": "db"}), topology_key="zone")
    affinity = Affinity(pod_affinity=PodAntiAffinity(required=(wanted,)))
    bench.refused(pod("a", affinity=affinity), "InterPodAffinity")
    bench.clock.now_s += 60
    bench.queue.changed(Change("AssignedPodAdd", pod("x", labels={"app": "web"})))
    bench.queue.changed(Change("AssignedPodAdd", pod("x", labels={"app": "db"}, namespace="elsewhere")))
    assert bench.places() == {"unschedulable": 1}
    bench.queue.changed(Change("AssignedPodAdd", pod("x", labels={"app": "db"})))
    assert bench.places() == {"active": 1}


def test_somebody_elses_anti_affinity_may_have_been_in_the_way(bench: Bench) -> None:
    bench.refused(pod("a"), "InterPodAffinity")
    bench.clock.now_s += 60
    bench.queue.changed(Change("AssignedPodDelete", pod("harmless")))
    assert bench.places() == {"unschedulable": 1}
    averse = Affinity(pod_anti_affinity=PodAntiAffinity(required=(PodAffinityTerm(topology_key="host"),)))
    bench.queue.changed(Change("AssignedPodDelete", pod("averse", affinity=averse)))
    assert bench.places() == {"active": 1}


def test_spreading_is_helped_by_pods_that_it_counts(bench: Bench) -> None:
    constraint = SpreadConstraint(label_selector=LabelSelector(match_labels={"app": "db"}))
    bench.refused(pod("a", topology_spread_constraints=(constraint,)), "PodTopologySpread")
    bench.clock.now_s += 60
    bench.queue.changed(Change("AssignedPodDelete", pod("x", labels={"app": "web"})))
    assert bench.places() == {"unschedulable": 1}
    bench.queue.changed(Change("AssignedPodUpdatePodLabel", pod("x"), pod("x", labels={"app": "db"})))
    assert bench.places() == {"active": 1}


def test_a_pod_that_changes_itself_is_tried_again_when_its_filter_looks_there(bench: Bench) -> None:
    bench.refused(pod("a"), "TaintToleration")
    bench.refused(pod("b"), "NodeResourcesFit")
    bench.refused(pod("c"), "Declined")
    bench.clock.now_s += 60
    for name in "abc":
        bench.queue.add(pod(name, tolerations=(Toleration(key="x"),)))
    assert bench.pop_names() == ["a", "c"]


def test_a_gate_holds_a_pod_until_it_is_gone(bench: Bench) -> None:
    bench.queue.add(pod("a", scheduling_gates=(SchedulingGate("g"),)))
    assert bench.places() == {"gated": 1}
    assert bench.pop_names() == []
    bench.queue.add(pod("a"))
    assert bench.pop_names() == ["a"]


def group(minimum: int) -> PodGroup:
    policy = SchedulingPolicy(gang=GangPolicy(min_count=minimum))
    return PodGroup(metadata=ObjectMeta(name="g", namespace="default"), spec=PodGroupSpec(scheduling_policy=policy))


def member(name: str, **spec: Any) -> Pod:
    return pod(name, scheduling_group=SchedulingGroup(pod_group_name="g"), **spec)


def test_a_gang_gathers_until_enough_are_there_and_is_popped_alone(bench: Bench) -> None:
    bench.queue.add(pod("solo"))
    for name in ("a", "b"):
        bench.queue.add(member(name))
    assert bench.places() == {"active": 1, "incomplete": 2}
    bench.gangs.set_group("in-tree", group(2))
    bench.queue.groups_changed("scheduling.k8s.io/PodGroupAdd")
    assert bench.places() == {"active": 3}
    assert bench.pop_names() == ["solo"]
    (gang,) = bench.queue.pop(1)
    assert sorted(gang.members) == ["uid-a", "uid-b"]
    bench.queue.refuse(gang, ("NodeResourcesFit",))
    bench.clock.now_s += 60
    bench.queue.add(member("c"))  # one more may be placed where another could not
    assert bench.pop_names() == ["a", "b", "c"]


def test_a_gang_that_loses_a_member_waits_again(bench: Bench) -> None:
    bench.gangs.set_group("in-tree", group(2))
    for name in ("a", "b"):
        bench.queue.add(member(name))
    bench.queue.remove("uid-b")
    assert bench.places() == {"incomplete": 1}


def test_bound_members_count_and_a_failed_one_goes_on_alone(bench: Bench) -> None:
    bench.gangs.set_group("in-tree", group(3))
    for name in ("a", "b", "c"):
        bench.queue.add(member(name))
    (gang,) = bench.queue.pop(1)
    alone = [bench.queue.split(gang, uid, stays=True) for uid in list(gang.members)]
    for each in alone:
        bench.gangs.bound(*each.pods)
    bench.gangs.unbound(*alone[0].pods)
    bench.queue.fail(alone[0])
    bench.clock.now_s += 60
    (again,) = bench.queue.pop(1)
    assert again.pods == alone[0].pods
    assert bench.gangs.lacking(again) == 1


def seen_bound(bench: Bench, pod: Pod) -> None:
    """As the ledger tells of a pod that somebody bound."""
    bench.queue.member_bound(pod)
    bench.queue.remove(pod.metadata.uid)


def test_a_gang_that_another_leader_left_half_bound_goes_on_before_everybody(bench: Bench) -> None:
    bench.gangs.set_group("in-tree", group(4))
    members = [member(name) for name in "abcd"]
    bench.queue.add(pod("urgent", priority=9))
    for each in members:
        bench.queue.add(each)
    for each in members[:2]:
        seen_bound(bench, each)
    (gang,) = bench.queue.pop(64)
    assert [pod.metadata.name for pod in gang.pods] == ["c", "d"]
    assert bench.gangs.lacking(gang) == 2
    assert bench.pop_names() == ["urgent"]


def test_a_gang_that_was_refused_is_tried_again_when_others_begin_to_bind_it(bench: Bench) -> None:
    bench.gangs.set_group("in-tree", group(2))
    members = [member(name) for name in "ab"]
    for each in members:
        bench.queue.add(each)
    (gang,) = bench.queue.pop(64)
    bench.queue.refuse(gang, ("NodeResourcesFit",))
    seen_bound(bench, members[0])
    assert bench.places() == {"active": 1}
    assert bench.pop_names() == ["b"]


def test_what_waits_of_a_gang_is_enough_once_the_others_are_seen_bound(bench: Bench) -> None:
    bench.gangs.set_group("in-tree", group(2))
    bench.queue.add(member("a"))
    assert bench.places() == {"incomplete": 1}
    seen_bound(bench, member("b"))
    assert bench.pop_names() == ["a"]


def test_a_gang_with_enough_bound_takes_its_turn(bench: Bench) -> None:
    bench.gangs.set_group("in-tree", group(1))
    seen_bound(bench, member("a"))
    bench.queue.add(pod("first"))
    bench.clock.now_s += 1
    bench.queue.add(member("b"))
    assert bench.pop_names() == ["first"]
    assert bench.pop_names() == ["b"]


LABELS = ("NodeAdd", "AssignedPodDelete", "NodeUpdateNodeTaint")
STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "gate", "gang", "remove", "pop", "refuse", "fail", "change", "flush", "wait"]),
              st.integers(0, 7)), max_size=60,
)  # fmt: skip


@given(STEPS)
def test_every_pod_is_in_exactly_one_place_whatever_happens(steps: list[tuple[str, int]]) -> None:
    bench, alive, popped = Bench(), set[str](), list[Entity]()
    bench.gangs.set_group("in-tree", group(3))
    for what, number in steps:
        name = f"p{number}"
        match what:
            case "add" | "gate" | "gang":
                if f"uid-{name}" in alive:
                    continue
                made = {
                    "add": pod(name),
                    "gate": pod(name, scheduling_gates=(SchedulingGate("g"),)),
                    "gang": member(name),
                }
                bench.queue.add(made[what])
                alive.add(f"uid-{name}")
            case "remove":
                bench.queue.remove(f"uid-{name}")
                alive.discard(f"uid-{name}")
            case "pop":
                popped += bench.queue.pop(number + 1)
            case "refuse" | "fail":
                while popped:
                    entity = popped.pop()
                    if not entity.members:
                        continue
                    if what == "refuse":
                        bench.queue.refuse(entity, ("NodeResourcesFit",))
                    else:
                        bench.queue.fail(entity)
            case "change":
                bench.queue.changed(Change(LABELS[number % 3], pod("x")))
            case "flush":
                bench.queue.flush()
            case "wait":
                bench.clock.now_s += number
        flying = Counter(uid for entity in popped for uid in entity.members)
        assert sum(bench.queue.pending().values()) + sum(flying.values()) == len(alive) == len(bench.queue)
        assert set(flying) <= alive
        assert all(count >= 0 for count in bench.queue.pending().values())
    bench.clock.now_s += 1000
    while popped:
        entity = popped.pop()
        if entity.members:
            bench.queue.fail(entity)
    bench.clock.now_s += 1000
    bench.queue.flush()
    last = [uid for _ in range(20) for entity in bench.queue.pop(100) for uid in entity.members]
    held = bench.queue.pending()["gated"] + bench.queue.pending()["incomplete"]
    assert len(last) == len(set(last)) == len(alive) - held
