"""What the instrument's hot paths cost in process: decoding a list and watch events, and recording what a load got.

    .venv/bin/pytest benchmarks/test_decoding.py

Times are the thread's processor time; a pod is as the API server writes it, some 1.5 kB.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from idcbench.kube.connection import Response
from idcbench.kube.listing import Page
from idcbench.kube.objects import Pod
from idcbench.measure.open_loop import SENT, OpenLoop, Outcome
from idcbench.measure.podwatch_process import StartingPod, Steps

pytestmark = pytest.mark.benchmark(timer=time.thread_time, disable_gc=True)
PODS = 1000
STAMP = "2026-11-28T06:00:00Z"


def pod(number: int) -> dict[str, Any]:
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": STAMP, "observedGeneration": 1}
        for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    container = {"name": "main", "image": "pause", "resources": {}, "terminationMessagePath": "/dev/termination-log"}
    status = {"name": "main", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": STAMP}}}
    fields = {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec": {"f:containers": {"f:name": {}}}}
    return {
        "metadata": {
            "name": f"pod-{number}", "namespace": "default", "uid": f"uid-{number}", "resourceVersion": str(number),
            "creationTimestamp": STAMP, "labels": {"app": "a"},
            "managedFields": [{"manager": "idcbench", "operation": "Update", "fieldsV1": fields}] * 3,
        },
        "spec": {"containers": [container], "nodeName": "node-1", "schedulerName": "default-scheduler"},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": [status]},
    }  # fmt: skip


def test_decoding_a_list_of_a_thousand_pods(benchmark: BenchmarkFixture) -> None:
    """Typed, with the fields that are used."""
    page: Any = Page
    body = msgspec.json.encode({"metadata": {"resourceVersion": "1"}, "items": [pod(number) for number in range(PODS)]})
    found = benchmark(msgspec.json.Decoder(page[Pod]).decode, body)
    assert len(found.items) == PODS


def test_a_thousand_watch_events_to_steps(benchmark: BenchmarkFixture) -> None:
    """From the line of an event to the stamps of a pod's steps, as the watch on pods takes them."""
    lines = [msgspec.json.encode(pod(number)) for number in range(PODS)]
    decode = msgspec.json.Decoder(StartingPod).decode

    def take() -> Steps:
        steps = Steps()
        for number, line in enumerate(lines):
            steps.take("MODIFIED", decode(line), number + 1)
        return steps

    assert benchmark(take).counts["ready"] == PODS


def test_recording_a_thousand_answers_of_a_load(benchmark: BenchmarkFixture) -> None:
    """What the load does when an answer has come: its record, without the connection."""
    loop = OpenLoop.__new__(OpenLoop)
    loop._sent, loop._left = np.zeros(PODS, dtype=SENT), 10**9
    answer = Response(200, b"", 1)

    def record() -> None:
        for number in range(PODS):
            loop._end(number, Outcome.OK, answer.completed_ns, answer.status)

    benchmark(record)
    assert (loop._sent["status"] == 200).all()
