"""The drill: pods come in parts, in the midst of each a fault strikes, and at the end every placement is judged."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress

from idcbench.cluster import Happening
from idcbench.kube.listing import list_all
from idcbench.kube.objects import ObjectReference
from idcbench.kube.session import ApiSession
from idcbench.progress import Progress

from ..bench.reading import PAGE, Event
from ..bench.templates import Object
from ..objects import Node, Pod
from . import verdict
from .bindings import Bindings
from .creating import create, create_nodes
from .faults import STRIKES, Scene
from .ground import SCHEDULER, DrillError, Ground
from .outcome import Outcome, Round
from .workload import Workload, is_scarce

POLL_S = 0.05
AMBUSH_SHARE, AMBUSH_POLL_S = 0.6, 0.005
"""A fault waits until some gang is half bound, which is when it can do harm, but not beyond this share of its part."""
STUCK_S = 150.0
"""Longer than the worst fault with a takeover after it; without a binding for so long, the drill has failed."""
QUIET_S, CALM_S = 12.0, 2.0
"""What is not bound after the first is not going to be: it is longer than the longest back-off (10 s). After the second
the API is asked whether anything is left to be bound."""
EVENTS_S, ASK_S = 13.0, 2.0
"""Longer than the longest pause before an event is tried again (12.5 s)."""
PODS = "/api/v1/pods"


class Drill:
    """:meth:`run` is called once, on a cluster without other pods. ``faults`` are names out of ``STRIKES``."""

    def __init__(
        self, ground: Ground, workload: Workload, faults: Sequence[str], *, seed: int, progress: Progress
    ) -> None:  # fmt: skip
        self._ground = ground
        self._workload = workload
        self._faults = faults
        self._chance = random.Random(seed)
        self._progress = progress
        self._bindings = Bindings(ground.audit_logs)
        self._moved_s = time.monotonic()
        self._gang_of = workload.gang_of()
        self._lacking = dict(workload.gangs)
        self._half_bound: set[str] = set()
        self._short_of_room = True
        self._scarce = {pod["metadata"]["name"] for unit in workload.units for pod in unit if is_scarce(pod)}
        self.outcome = Outcome(
            pods=workload.pods, nodes=len(workload.nodes) + len(workload.late_nodes), gangs=len(workload.gangs)
        )

    async def run(self) -> Outcome:
        """Raises :class:`DrillError` when nothing moves any more, ``ApiError`` when the cluster is not to be had."""
        began_s, began_ns = time.monotonic(), time.monotonic_ns()
        following = asyncio.create_task(self._follow())
        try:
            await create_nodes(self._ground.api, self._workload.nodes)
            for fault, part in zip(self._faults, self._workload.parts(len(self._faults)), strict=True):
                self.outcome.rounds.append(await self._round(fault, part))
            await self._ground.until_whole()
            await self._end()
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            self._bindings.close()
        self.outcome.wall_s = time.monotonic() - began_s
        self.outcome.violations += await self._crashes(began_ns)
        return self.outcome

    async def _round(self, fault: str, part: Sequence[Object]) -> Round:
        """Strike while this part is created and placed; go on when most of it has nodes."""
        await self._ground.until_whole()
        number, of = len(self.outcome.rounds) + 1, len(self._faults)
        self._progress(f"{number} of {of}: {fault}; {len(self._bindings)} pods are bound")
        before, certain = len(self._bindings), sum(not is_scarce(pod) for pod in part)
        creating = asyncio.create_task(create(self._ground.api, part))
        try:
            await self._until_bound(before + int(certain * self._chance.uniform(0.02, 0.5)), creating)
            await self._ambush(before + int(certain * AMBUSH_SHARE))
            began_ns, half_bound = time.time_ns(), len(self._half_bound)
            first = part[0]["metadata"]
            scene = Scene(pod=f"{first['namespace']}/{first['name']}", watched=self._bindings.watched)
            struck = await STRIKES[fault](self._ground, self._chance, scene)
            ended_ns = time.time_ns()
            await creating
        finally:
            creating.cancel()
        await self._until_bound(before + int(certain * 0.8), creating)
        pause_s = verdict.longest_pause_s(self._bindings.times_ns(), began_ns)
        return Round(
            fault=fault, struck=struck, began_ns=began_ns, ended_ns=ended_ns, pause_s=pause_s, half_bound=half_bound
        )

    async def _ambush(self, most: int) -> None:
        """Until some gang is half bound, or ``most`` pods are bound."""
        while not self._half_bound and len(self._bindings) < most:
            self._look()
            await asyncio.sleep(AMBUSH_POLL_S)

    async def _end(self) -> None:
        """All that can be placed is; then the gangs that had no room get theirs; then all is judged."""
        found = self.outcome
        self._progress("waiting for the last pods")
        pods = await self._until_quiet()
        found.violations += [f"while room was scarce: {one}" for one in self._when_scarce(pods)]
        self._short_of_room = False
        await create_nodes(self._ground.api, self._workload.late_nodes)
        self._moved_s = time.monotonic()
        pods = await self._until_quiet()
        self._progress("reading everything")
        async with ApiSession(self._ground.access, timeout_s=60.0) as api:
            nodes = (await list_all(api, Node, "/api/v1/nodes", page_size=PAGE)).items
        self._look()
        self._judge(nodes, pods)
        await self._judge_events(pods)

    def _when_scarce(self, pods: Sequence[Pod]) -> list[str]:
        """Gangs that are partial, and pods that wait though there is room for them."""
        partial = list(verdict.partial_gangs(pods, self._workload.gangs))
        waiting = {pod.metadata.name for pod in pods if not pod.spec.node_name}
        late = sorted(waiting - self._scarce)
        gangs = {name for name in self._workload.gangs if name.startswith("scarce")}
        held = {name.rpartition("-")[0] for name in waiting & self._scarce}
        self.outcome.waiting_gangs_when_scarce = len(held)
        self.outcome.whole_gangs_when_scarce = len(gangs - held)
        return partial + ([f"{len(late)} pods wait with room for them: {', '.join(late[:5])}"] if late else [])

    def _judge(self, nodes: Sequence[Node], pods: Sequence[Pod]) -> None:
        found = self.outcome
        server_kills = sum(bool(one.struck.server) for one in found.rounds)
        found.violations += verdict.placements(nodes, pods, created=self._workload.pods)
        found.violations += verdict.partial_gangs(pods, self._workload.gangs)
        found.violations += verdict.bindings(
            pods, self._bindings.of, unclear=self._bindings.unclear, server_kills=server_kills
        )
        found.bound = sum(bool(pod.spec.node_name) for pod in pods)
        found.bound_by_log = sum(len(each) for each in self._bindings.of.values())
        found.refused = dict(sorted(self._bindings.refused.items()))

    async def _judge_events(self, pods: Sequence[Pod]) -> None:
        """Until every pod has its event, or died with one, or no more events come."""
        kills = [
            verdict.SchedulerKill(at_ns=one.ended_ns, address=self._ground.hosts[one.struck.killed])
            for one in self.outcome.rounds
            if one.struck.killed
        ]
        seen, since_s = -1, time.monotonic()
        while True:
            told = verdict.events_per_pod(await self._scheduled())
            lost, missing = verdict.missing_events(pods, told, self._bindings.of, kills)
            if told.total() != seen:
                seen, since_s = told.total(), time.monotonic()
            if not missing or time.monotonic() - since_s > EVENTS_S:
                break
            await asyncio.sleep(ASK_S)
        self.outcome.events = told.total()
        self.outcome.events_twice = sum(count > 1 for count in told.values())
        self.outcome.events_lost_with_killed = len(lost)
        if missing:
            self.outcome.violations.append(
                f"{len(missing)} pods have no Scheduled event, and no scheduler was killed with it: "
                f"{', '.join(missing[:5])}"
            )

    async def _scheduled(self) -> list[ObjectReference]:
        """The pods of all Scheduled events."""
        async with ApiSession(self._ground.access, timeout_s=60.0) as api:
            events = (await list_all(api, Event, "/apis/events.k8s.io/v1/events", page_size=PAGE)).items
        return [one.regarding for one in events if one.reason == "Scheduled"]

    async def _pods(self) -> Sequence[Pod]:
        async with ApiSession(self._ground.access, timeout_s=60.0) as api:
            return (await list_all(api, Pod, PODS, page_size=PAGE)).items

    async def _follow(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(POLL_S)

    def _look(self) -> None:
        """Read on in the logs, and see which gangs are half bound."""
        for name in self._bindings.poll():
            self._moved_s = time.monotonic()
            gang = self._gang_of.get(name, "")
            if gang:
                self._lacking[gang] -= 1
                (self._half_bound.add if self._lacking[gang] else self._half_bound.discard)(gang)

    async def _until_bound(self, count: int, creating: asyncio.Task[None]) -> None:
        while len(self._bindings) < count:
            if creating.done():
                creating.result()
            if time.monotonic() - self._moved_s > STUCK_S:
                raise DrillError(
                    f"nothing was bound for {STUCK_S:g} s; {len(self._bindings)} pods are, {count} were waited for"
                )
            await asyncio.sleep(POLL_S)

    async def _until_quiet(self) -> Sequence[Pod]:
        """All pods when all have nodes that can, or nothing was bound for long. The API is asked: logs lack lines."""
        while True:
            while (silent_s := time.monotonic() - self._moved_s) < CALM_S and len(self._bindings) < self._workload.pods:
                await asyncio.sleep(POLL_S)
            pods = await self._pods()
            if silent_s > QUIET_S or not self._due(pods):
                return pods
            await asyncio.sleep(ASK_S)

    def _due(self, pods: Sequence[Pod]) -> bool:
        """Whether some pod waits that has room."""
        waiting = {pod.metadata.name for pod in pods if not pod.spec.node_name}
        if not self._short_of_room:
            return bool(waiting)
        return not waiting <= self._scarce or any(verdict.partial_gangs(pods, self._workload.gangs))

    async def _crashes(self, since_ns: int) -> list[str]:
        """Schedulers that ended though nobody had ended them."""
        return [
            f"the scheduler of {one.host} ended by itself with {one.exit_code}: {_last_line(one)}"
            for one in await self._ground.faults.happenings(since_ns=since_ns)
            if one.component == SCHEDULER and one.what == "exited" and not one.asked
        ]


def _last_line(one: Happening) -> str:
    return one.last_lines[-1] if one.last_lines else "it said nothing"
