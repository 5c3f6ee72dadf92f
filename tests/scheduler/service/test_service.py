"""The service against a fake API server: what is asked of it happens, once, whatever is answered."""

from __future__ import annotations

import asyncio

import pytest
from fake_api import Cut, Drop, Hang, Refuse, Say, Stall
from little_engine import LittleEngine
from running import counts, running, settings
from scheduler_api import PODS, SchedulerApi

from idcbench.scheduler.decisions import ClaimStep, Decision, Placed
from idcbench.scheduler.objects import Pod

GONE = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n'


async def test_pods_are_bound_once_and_the_event_says_so(api: SchedulerApi) -> None:
    api.node("one")
    for name in ("a", "b"):
        api.pod(name)
    api.pod("foreign", schedulerName="other")
    async with running(api) as service:
        api.pod("later")
        await api.until(lambda: all(api.nodes_of("a", "b", "later")))
        await api.until(lambda: len(api.events("Scheduled")) == 3)
        assert counts(service)["attempt scheduled"] == 3
    assert api.nodes_of("foreign") == [""]
    assert sorted(each["metadata"]["name"] for each in api.bindings()) == ["a", "b", "later"]
    event = api.events("Scheduled")[0]
    pod = api.pods()[event["regarding"]["name"]]
    assert event["note"] == f"Successfully assigned default/{pod['metadata']['name']} to one"
    assert event["regarding"]["uid"] == pod["metadata"]["uid"]
    assert (event["action"], event["type"], event["reportingController"]) == ("Binding", "Normal", "default-scheduler")


async def test_a_gated_pod_waits_for_its_gates_and_a_terminating_one_for_ever(api: SchedulerApi) -> None:
    api.node("one")
    api.pod("gated", schedulingGates=[{"name": "wait"}])
    going = api.pod("going")
    api.put(f"{PODS}/going", going | {"metadata": going["metadata"] | {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    async with running(api) as service:
        assert service.gauges().pending["gated"] == 1
        api.pod("open")
        await api.until(lambda: all(api.nodes_of("open")))
        assert api.nodes_of("gated", "going") == ["", ""]
        api.pod("gated")
        await api.until(lambda: all(api.nodes_of("gated")))


async def test_a_lost_reply_is_asked_after_and_nothing_is_bound_twice(api: SchedulerApi) -> None:
    api.node("one")
    api.node("two")
    api.lose = 3
    for number in range(6):
        api.pod(f"p{number}")
    async with running(api) as service:
        await api.until(lambda: len(api.events("Scheduled")) == 6)
        assert counts(service)["binding bound"] == 6
    assert len(api.bindings()) == 6


@pytest.mark.parametrize("fault", [Drop(), Refuse(500), Refuse(504, "Timeout"), Hang()])
async def test_a_binding_that_was_not_done_is_sent_again_to_the_same_node(api: SchedulerApi, fault: Drop) -> None:
    for name in ("one", "two", "three"):
        api.node(name)
    api.next(fault, method="POST", path=PODS)
    api.pod("a")
    async with running(api):
        await api.until(lambda: len(api.events("Scheduled")) == 1)
    assert len(api.bindings()) == 2
    assert len({each["target"]["name"] for each in api.bindings()}) == 1


async def test_too_many_requests_are_waited_out(api: SchedulerApi) -> None:
    api.node("one")
    api.next(Refuse(429, "TooManyRequests", retry_after="1"), method="POST", path=PODS)
    api.pod("a")
    async with running(api) as service:
        await api.until(lambda: len(api.events("Scheduled")) == 1)
        assert counts(service)["request POST 429"] == 1


async def test_what_somebody_else_bound_is_adopted(api: SchedulerApi) -> None:
    api.node("one", cpu="1")
    api.node("two", cpu="2")

    class Racing(LittleEngine):
        def decide(self, pods: list[Pod]) -> list[Decision]:  # type: ignore[override]
            made = super().decide(pods)
            for each in made:
                if isinstance(each, Placed) and each.pod.metadata.name == "a":
                    manifest = api.pods()["a"]
                    other = "two" if each.node == "one" else "one"
                    api.put(f"{PODS}/a", manifest | {"spec": manifest["spec"] | {"nodeName": other}})
            return made

    engine = Racing()
    api.next(Stall(after=1), watch=True, path="/api/v1/pods")
    async with running(api, engine=engine) as service:
        api.pod("a", cpu="500m")
        await api.until(lambda: any(api.nodes_of("a")))
        await api.until(lambda: service.gauges().assumed_pods == 0 and not service.gauges().bindings_in_flight)
        (uid,) = engine.where
        assert engine.where[uid][0] == api.nodes_of("a")[0]
        assert sum(engine.used.values()) == 500
    assert api.events("Scheduled") == []


async def test_a_pod_that_is_gone_is_forgotten(api: SchedulerApi) -> None:
    api.node("one")

    class Deleting(LittleEngine):
        def decide(self, pods: list[Pod]) -> list[Decision]:  # type: ignore[override]
            if "a" in api.pods():
                api.remove(f"{PODS}/a")
            return super().decide(pods)

    engine = Deleting()
    async with running(api, engine=engine) as service:
        api.pod("a")
        await api.until(lambda: counts(service).get("binding gone"))
        await api.until(lambda: not engine.where and not sum(service.gauges().pending.values()))


async def test_an_unschedulable_pod_is_told_why_and_bound_when_a_node_comes(api: SchedulerApi) -> None:
    api.node("small", cpu="100m")
    api.pod("big", cpu="2")
    async with running(api) as service:
        await api.until(lambda: api.patches("big") and api.events("FailedScheduling"))
        condition = api.pods()["big"]["status"]["conditions"][0]
        said = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: no victims."
        assert condition["message"] == api.events("FailedScheduling")[0]["note"] == said
        assert (condition["type"], condition["status"], condition["reason"]) == (
            "PodScheduled",
            "False",
            "Unschedulable",
        )
        assert condition["observedGeneration"] == 1
        assert service.gauges().pending["unschedulable"] == 1
        assert service.gauges().unschedulable == {("NodeResourcesFit", "default-scheduler"): 1}
        assert service.journal.of("default/big")[0].attempt == 1
        api.node("large")
        await api.until(lambda: api.nodes_of("big") == ["large"])
        await api.until(lambda: api.events("Scheduled"))
    assert len(api.patches("big")) == 1


async def test_a_deleted_pod_makes_room_for_one_that_waits(api: SchedulerApi) -> None:
    api.node("one", cpu="1")
    api.pod("first", cpu="1")
    async with running(api):
        await api.until(lambda: any(api.nodes_of("first")))
        api.pod("second", cpu="1")
        await api.until(lambda: api.events("FailedScheduling"))
        api.remove(f"{PODS}/first")
        await api.until(lambda: any(api.nodes_of("second")))


async def test_a_pod_that_is_over_frees_its_room(api: SchedulerApi) -> None:
    api.node("one", cpu="1")
    api.pod("first", cpu="1")
    async with running(api):
        await api.until(lambda: any(api.nodes_of("first")))
        manifest = api.pods()["first"]
        api.put(f"{PODS}/first", manifest | {"status": {"phase": "Succeeded"}})
        api.pod("second", cpu="1")
        await api.until(lambda: any(api.nodes_of("second")))


async def test_victims_are_told_deleted_and_reported_and_the_room_is_kept(api: SchedulerApi) -> None:
    api.node("one", cpu="1")
    api.pod("low", cpu="1")
    async with running(api) as service:
        await api.until(lambda: any(api.nodes_of("low")))
        await api.until(lambda: service.gauges().assumed_pods == 0)
        api.pod("high", cpu="1", priority=10)
        await api.until(lambda: api.nodes_of("high") == ["one"] and "low" not in api.pods())
        await api.until(lambda: api.events("Preempted"))
        told = api.patches("low")[0]["status"]["conditions"][0]
        assert (told["type"], told["status"], told["reason"]) == ("DisruptionTarget", "True", "PreemptionByScheduler")
        assert api.patches("high")[0]["status"]["nominatedNodeName"] == "one"
        event = api.events("Preempted")[0]
        assert event["note"] == f"Preempted by pod {api.pods()['high']['metadata']['uid']} on node one"
        assert event["related"]["name"] == "high"
        assert counts(service)["victims"] == 1
        said = " preemption: found a potential placement for pod on node one, preempting 1 victims"
        assert api.events("FailedScheduling")[0]["note"].endswith(said)


async def test_a_gang_waits_for_its_members_and_comes_whole(api: SchedulerApi) -> None:
    api.node("one", cpu="1")
    gang = {"idcbench.io/gang": "g", "idcbench.io/gang-size": "3"}
    async with running(api) as service:
        for name in ("g1", "g2"):
            api.pod(name, cpu="400m", labels=gang)
        await api.until(lambda: service.gauges().pending["incomplete"] == 2)
        await api.until(lambda: len(api.events("FailedScheduling")) == 2)  # its patience is 0.5 s
        assert "2 of at least 3 pods are there" in api.events("FailedScheduling")[0]["note"]
        api.pod("g3", cpu="400m", labels=gang)
        await api.until(lambda: service.gauges().pending_gangs["unschedulable"] == 1)
        assert api.bindings() == []
        api.node("two", cpu="1")
        await api.until(lambda: all(api.nodes_of("g1", "g2", "g3")))
        assert sum(service.gauges().pending.values()) == 0
        api.pod("g4", cpu="100m", labels=gang)
        await api.until(lambda: all(api.nodes_of("g4")))


async def test_a_gang_that_a_dead_leader_left_half_bound_is_finished_first(api: SchedulerApi) -> None:
    api.node("one", cpu="1")
    gang = {"idcbench.io/gang": "g", "idcbench.io/gang-size": "6"}
    for number in range(7):
        api.pod(f"p{number}", priority=5)
    for number in range(6):
        api.pod(f"g{number}", labels=gang, **({"nodeName": "one"} if number < 3 else {}))
    async with running(api) as service:
        await api.until(lambda: service.gauges().pending["unschedulable"] == 3)
        await api.until(lambda: all(api.nodes_of(*(f"g{number}" for number in range(6)))))


async def test_a_gang_that_cannot_be_finished_says_so(api: SchedulerApi) -> None:
    api.node("one", cpu="1")
    gang = {"idcbench.io/gang": "g", "idcbench.io/gang-size": "2"}
    api.pod("there", labels=gang, nodeName="one")
    api.pod("big", cpu="2", labels=gang)
    async with running(api):
        await api.until(lambda: api.events("FailedScheduling"))
        said = "gang g: 1 of at least 2 pods are bound already. preemption: not done for gangs."
        assert api.events("FailedScheduling")[0]["note"].endswith(said)
        assert api.bindings() == []


@pytest.mark.parametrize("fault", [Cut(), Cut(after=1), Say(GONE), Say(b"no json\n")])
async def test_a_broken_watch_goes_on(api: SchedulerApi, fault: Cut) -> None:
    api.node("one")
    api.next(fault, watch=True, path="/api/v1/pods")
    api.next(fault, watch=True, path="/api/v1/nodes")
    async with running(api):
        for number in range(5):
            api.pod(f"p{number}")
        await api.until(lambda: len(api.events("Scheduled")) == 5)
    assert len(api.bindings()) == 5


async def test_bindings_go_on_when_a_server_dies(three: SchedulerApi) -> None:
    three.node("one", cpu="100")
    async with running(three) as service:
        for number in range(40):
            three.pod(f"p{number}")
            if number == 15:
                three.stop(0)
            await asyncio.sleep(0.002)
        await three.until(lambda: len(three.events("Scheduled")) == 40)
        assert counts(service)["binding bound"] == 40
        three.start(0)
    names = [each["metadata"]["name"] for each in three.bindings()]
    assert set(names) == {f"p{number}" for number in range(40)}


async def test_a_server_that_came_back_is_used_once_it_calls_itself_ready(three: SchedulerApi) -> None:
    three.node("one", cpu="200")

    def came() -> list[str]:
        seen = (one.path for one in three.seen[mark:] if one.member == 0)
        return [path for path in seen if path == "/readyz" or path.endswith(("/binding", "/events"))]

    async with running(three):
        three.stop(0)
        for number in range(30):
            three.pod(f"p{number}")
        await three.until(lambda: len(three.events("Scheduled")) == 30)
        mark = len(three.seen)
        three.next(Refuse(403), times=3, path="/readyz")
        three.start(0)
        for number in range(30, 900):  # more at once than the connections to the others carry
            if any(path != "/readyz" for path in came()):
                break
            three.pod(f"p{number}")
            if number % 30 == 0:
                await asyncio.sleep(0.1)
    assert came()[:4] == ["/readyz"] * 4


async def test_nothing_is_listed_from_a_server_that_still_starts(api: SchedulerApi) -> None:
    api.next(Refuse(500), times=5, path="/readyz")
    async with running(api):
        paths = [seen.path for seen in api.seen if not seen.path.startswith("/apis/coordination")]
    assert paths[:6] == ["/readyz"] * 6


async def test_claims_come_before_the_binding(api: SchedulerApi) -> None:
    class WithClaims(LittleEngine):
        def decide(self, pods: list[Pod]) -> list[Decision]:  # type: ignore[override]
            steps = (ClaimStep("default", "disk"),)
            made = super().decide(pods)
            return [Placed(each.pod, each.node, 1, steps) if isinstance(each, Placed) else each for each in made]

    claim = "/api/v1/namespaces/default/persistentvolumeclaims/disk"
    api.node("one")
    manifest = api.put(claim, {"spec": {}, "status": {"phase": "Pending"}})
    async with running(api, engine=WithClaims()):
        api.pod("a")
        stored = lambda: next(obj for place, obj in api.store.objects.items() if place.name == "disk")  # noqa: E731
        await api.until(lambda: stored()["metadata"].get("annotations"))
        assert stored()["metadata"]["annotations"] == {"volume.kubernetes.io/selected-node": "one"}
        assert api.bindings() == []
        bound = {"spec": {"volumeName": "pv"}, "status": {"phase": "Bound"}}
        api.put(claim, manifest | {"metadata": stored()["metadata"]} | bound)
        await api.until(lambda: api.nodes_of("a") == ["one"])


async def test_a_request_that_hangs_is_cut_at_its_limit_and_asked_after(api: SchedulerApi) -> None:
    api.node("one")
    api.next(Hang(), method="POST", path=PODS)
    api.pod("a")
    async with running(api, told=settings()) as service:
        await api.until(lambda: any(api.nodes_of("a")))
        assert counts(service)["request POST 0"] == 1
    sent = [seen for seen in api.seen if seen.path.endswith("/binding")]
    assert all(seen.query == {"timeout": "1s"} for seen in sent)


async def test_events_are_tried_again_and_counted(api: SchedulerApi) -> None:
    api.node("one")
    api.next(Refuse(500), method="POST", path="/apis/events")
    api.next(Refuse(422, "Invalid"), method="POST", path="/apis/events")
    for name in ("a", "b", "c"):
        api.pod(name)
    async with running(api) as service:
        await api.until(lambda: counts(service).get("event Scheduled") == 2)  # told after it was written
        assert len(api.events("Scheduled")) == 2
        assert counts(service)["dropped Scheduled refused"] == 1


async def test_a_pod_that_the_engine_fails_on_is_told_and_holds_nobody_up(api: SchedulerApi) -> None:
    class Failing(LittleEngine):
        def decide(self, pods: list[Pod]) -> list[Decision]:  # type: ignore[override]
            made = super().decide(pods)
            if any(each.metadata.name == "poison" for each in pods):
                raise KeyError("what nobody foresaw")
            return made

    api.node("one", cpu="1")
    for name in ("a", "poison", "b"):
        api.pod(name, cpu="500m")
    async with running(api, engine=Failing()) as service:
        await api.until(lambda: all(api.nodes_of("a", "b")))
        await api.until(lambda: api.patches("poison"))
        condition = api.pods()["poison"]["status"]["conditions"][0]
        assert condition["reason"] == "SchedulerError"
        assert "what nobody foresaw" in condition["message"]
        await api.until(lambda: counts(service)["attempt error"] >= 2)  # it is tried again
