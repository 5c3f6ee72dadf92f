"""How long a Deployment takes to grow, to replace all of its pods, and to shrink, as a watcher of its pods sees it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pytest

from idcbench.kube.crud import Client, Manifest
from idcbench.measure.podwatch import RunningPodWatch, watching_pods
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress
from idcbench.runs.directory import Run

from .ground import node_count, own_namespace
from .sizes import scaled
from .startup import keep_lag, pod

pytestmark = pytest.mark.idc_measuring
PODS = 500
LIMIT_S = 900.0
NAME = "rolled"
MAX_UNAVAILABLE, MAX_SURGE = "25%", "25%"
"""The defaults of a Deployment; how many pods a rolling update replaces at once follows from them."""
UPDATE = (
    "rolling update with the default maxUnavailable and maxSurge of 25 %: from before the request that changes the pod"
    " template until a watcher knows that all new pods are ready and all old ones are gone"
)


@dataclass(frozen=True, slots=True)
class Phase:
    """One change of the Deployment, asked for at ``asked_ns`` and done at ``done_ns`` (CLOCK_MONOTONIC)."""

    asked_ns: int
    done_ns: int

    @property
    def duration_s(self) -> float:
        return (self.done_ns - self.asked_ns) / 1e9


def test_rolling_update(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """A Deployment grows from none, replaces all its pods by a rolling update, and shrinks to none again."""
    count, run = scaled(PODS, idc_scale), idc_record.run
    labels = {"pods": str(count), "nodes": str(node_count(idc_client))}
    with own_namespace(idc_client) as namespace, watching_pods(idc_cluster.access, namespace) as watching:
        idc_client.create(_deployment(), namespace)
        asked_ns = time.monotonic_ns()
        idc_client.scale("Deployment", NAME, count, namespace)
        _wait(watching, "ready", count, idc_progress, "pods of the scale-up get ready")
        up = Phase(asked_ns, int(watching.steps().step("ready").max()))
        asked_ns = time.monotonic_ns()
        idc_client.patch("Deployment", NAME, _new_template(), namespace)
        _wait(watching, "ready", 2 * count, idc_progress, "new pods get ready")
        _wait(watching, "gone", count, idc_progress, "old pods go")
        seen = watching.steps()
        update = Phase(asked_ns, int(max(seen.step("ready").max(), seen.step("gone").max())))
        fewest = _fewest_available(*seen.available(), update)
        asked_ns = time.monotonic_ns()
        idc_client.scale("Deployment", NAME, 0, namespace)
        _wait(watching, "gone", 2 * count, idc_progress, "pods of the scale-down go")
        seen = watching.steps()
        down = Phase(asked_ns, int(seen.step("gone").max()))
    assert len(set(seen.revisions)) == 2, f"two revisions are made, and no pod twice: {set(seen.revisions)}"
    assert len(seen.names) == 2 * count
    _keep_duration(run, "rolling_update.duration", update, labels, UPDATE)
    _keep_duration(run, "scale_up.duration", up, labels, "from before the request until a watcher knows all are ready")
    _keep_duration(run, "scale_down.duration", down, labels, "from before the request until a watcher knows all gone")
    run.series(
        "rolling_update.max_unavailable", unit="pods", better="lower", labels=labels,
        definition="the number wanted, less the fewest pods that were ready and not being deleted, while the update"
        " went on; 25 % are allowed",
    ).add(max(0, count - fewest), update.done_ns)  # fmt: skip
    run.series(
        "rolling_update.pods_per_second", unit="pods/s", better="higher", labels=labels,
        definition="pods replaced by the rolling update, by its duration",
    ).add(count / update.duration_s, update.done_ns)  # fmt: skip
    keep_lag(run, seen, {"of": "rolling update"})


def _wait(watching: RunningPodWatch, step: str, count: int, progress: Progress, what: str) -> None:
    watching.wait(step, count, timeout_s=LIMIT_S, progress=progress, what=what)


def _fewest_available(at_ns: np.ndarray, available: np.ndarray, phase: Phase) -> int:
    """The fewest between the beginning and the end of the phase, the number at its beginning included."""
    during = (at_ns >= phase.asked_ns) & (at_ns <= phase.done_ns)
    before = available[at_ns < phase.asked_ns][-1:]
    return int(np.concatenate([before, available[during]]).min())


def _keep_duration(run: Run, name: str, phase: Phase, labels: dict[str, str], definition: str) -> None:
    series = run.series(
        name, unit="s", better="lower", labels=labels, definition=definition, repetition=True
    )  # fmt: skip
    series.add(phase.duration_s, phase.done_ns)


def _deployment() -> Manifest:
    spec = {
        "replicas": 0,
        "selector": {"matchLabels": {"app": NAME}},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": MAX_UNAVAILABLE, "maxSurge": MAX_SURGE},
        },
        "template": {"metadata": {"labels": {"app": NAME}}, "spec": pod("")["spec"]},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}, "spec": spec}


def _new_template() -> Manifest:
    return {"spec": {"template": {"metadata": {"annotations": {"idcbench.io/revision": "2"}}}}}
