"""Starting pods at planned times, and how long each took from there: what several measurements of the suite do."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from idcbench.kube.crud import Manifest
from idcbench.kube.objects import Pod
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import watch
from idcbench.measure.arrivals import poisson
from idcbench.measure.calls import Call
from idcbench.measure.clock import ClockPair
from idcbench.measure.loader import LoadPlan, LoadResult, run_load
from idcbench.measure.podwatch import PodSteps, watching_pods
from idcbench.plugin.live import LiveCluster
from idcbench.progress import Progress
from idcbench.runs.directory import Run
from idcbench.suites.functional.manifests import pod_spec

Millis = npt.NDArray[np.float64]
CONNECTIONS = 32
READY_S = 120.0
"""From the last creation planned until every pod must be ready; longer is a failure, not a latency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Pods that became ready, each with ``planned_ns``, when its creation was to be sent; ``load`` created them."""

    pods: PodSteps
    planned_ns: npt.NDArray[np.int64]
    load: LoadResult

    def from_creation_ms(self, step: str) -> Millis:
        """From the planned start of the request that created a pod to the watcher's hearing of that step."""
        return np.asarray((self.pods.step(step) - self.planned_ns) / 1e6, dtype=np.float64)

    def between_ms(self, first: str, then: str) -> Millis:
        """From one step to another, as the watcher heard of them."""
        return np.asarray((self.pods.step(then) - self.pods.step(first)) / 1e6, dtype=np.float64)

    @property
    def objections(self) -> tuple[str, ...]:
        """Why these times are not those of the pods; empty when they are."""
        return (*self.load.objections, *self.pods.objections)


def start_pods(
    cluster: LiveCluster, namespace: str, *, count: int, rate_per_s: float, spec: Manifest | None = None,
    labels: Mapping[str, str] | None = None, progress: Progress, prefix: str = "pod-", seed: int = 1,
) -> Started:  # fmt: skip
    """Create ``count`` pods of ``spec`` as a Poisson process of that rate, and wait until the watch says all are ready.

    Raises :class:`~idcbench.measure.podwatch.PodsMissingError` when one is not in time.
    """
    made = pod(prefix + "{n}", **(spec or {}))
    made["metadata"]["labels"] = dict(labels or {})
    body = msgspec.json.encode(made).decode()
    call = Call(name="create pod", method="POST", path=f"/api/v1/namespaces/{namespace}/pods", body=body)
    plan = LoadPlan(planned_ns=exactly(count, rate_per_s, seed=seed), calls=(call,), connections=CONNECTIONS)
    progress("pods are created", total=count, unit="pods")
    with watching_pods(cluster.access, namespace) as watching:
        load = run_load(cluster.access, plan)
        watching.wait("ready", count, timeout_s=READY_S, progress=progress, what="pods get ready")
        steps = watching.steps()
    pods = steps.only(np.array([name.startswith(prefix) for name in steps.names]) & steps.took("ready"))
    planned = dict(zip((int(each) for each in load.sent["number"]), load.sent["planned_ns"], strict=True))
    numbers = [int(name.removeprefix(prefix)) for name in pods.names]
    return Started(pods=pods, planned_ns=np.array([planned[number] for number in numbers], dtype=np.int64), load=load)


def exactly(count: int, rate_per_s: float, *, seed: int) -> npt.NDArray[np.int64]:
    """The first ``count`` times of a Poisson process: as many as are wanted, however long that takes."""
    wanted_s = count / rate_per_s
    while len(times := poisson(rate_per_s, wanted_s, seed=seed)) < count:
        wanted_s *= 1.5
    return times[:count]


def pod(name: str, **spec: object) -> Manifest:
    """A schedulable pod without state, as every namespace takes it; what is deleted is gone at once."""
    own = pod_spec(resources={"requests": {"cpu": "1m", "memory": "1Mi"}})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": own | spec}


def encoded_pod(name: str, **spec: object) -> bytes:
    """:func:`pod` as the body of a request."""
    return msgspec.json.encode(pod(name, **spec))


def wait_until_running(
    cluster: LiveCluster, namespace: str, count: int, *, timeout_s: float, progress: Progress
) -> None:
    """Wait until so many pods of a namespace are running. Raises ``TimeoutError`` when they are not in time."""

    async def running() -> None:
        names: set[str] = set()
        async with ApiSession(cluster.access) as api:
            events = watch(api, Pod, f"/api/v1/namespaces/{namespace}/pods")
            async with contextlib.aclosing(events):
                async for event in events:
                    if event.object.status.phase == "Running":
                        names.add(event.object.metadata.name)
                        progress("pods are started", done=len(names), total=count, unit="pods")
                    if len(names) >= count:
                        return

    cluster.portal.call(running(), timeout_s=timeout_s)


def keep_lag(run: Run, pods: PodSteps, labels: Mapping[str, str]) -> None:
    """Write how late the watch was to stamp, and make the run invalid when that is too late."""
    series = run.series(
        "measure.watch_lag", unit="ms", better="lower", labels=labels,
        definition="how late the watch on pods got to do what was due, every 100 ms: an event may have been stamped as"
        " late",
    )  # fmt: skip
    series.add_many(pods.late[:, 1] / 1e6, [int(at) for at in pods.late[:, 0]])


def server_seconds(pods: PodSteps, clock: ClockPair) -> dict[str, npt.NDArray[np.float64]]:
    """The parts of a start by what the servers wrote, in s: whole seconds of their wall clocks, one with the watcher's.

    ``run_to_watch`` and ``create_to_watch`` end with the watcher's own wall clock, and may be negative.
    """
    heard = np.array([clock.realtime_of(int(at)) for at in pods.step("ready")]) / 1e9
    created, scheduled, started = (pods.stamp(name).astype(np.float64) for name in ("created", "scheduled", "started"))
    return {
        "create_to_schedule": scheduled - created,
        "schedule_to_run": started - scheduled,
        "run_to_watch": heard - started,
        "create_to_watch": heard - created,
    }
