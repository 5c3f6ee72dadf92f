"""Proof of the probe, on a real API server: it finds freezes of known length."""

from __future__ import annotations

import time

import pytest

from idcbench.measure.plan import Plan
from idcbench.measure.probe import Prober
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record

from .drill import Range
from .members import Member

COMPONENT = "kube-apiserver"
AGREES_MS = 40
TRIES = 3
"""A stall of the machine, or of the server as it wakes, adds to the freeze; it does not come three times in a row."""


@pytest.mark.idc(proves="api", needs=["host-faults"])
@pytest.mark.idc_disruptive
@pytest.mark.idc_measuring
@pytest.mark.parametrize("frozen_ms", [50, 200, 1000])
def test_the_probe_finds_a_freeze_of_known_length(
    idc_cluster: LiveCluster, idc_probe: Prober, idc_record: Record, frozen_ms: int
) -> None:
    """A reused connection straight to one API server shows a freeze of it, as long as it was, within 40 ms."""
    ground = Range(idc_cluster, idc_probe)
    ground.make_ready()
    errors = []
    for _ in range(TRIES):
        error_ms = probe_error_ms(idc_cluster, idc_probe, ground.members[0], frozen_ms)
        errors.append(round(error_ms, 1))
        idc_record(
            "measure.probe_error",
            abs(error_ms),
            unit="ms",
            labels={"frozen_ms": str(frozen_ms)},
            definition="how far the full outage that the probe found is from the time an API server was frozen",
        )
        if abs(error_ms) <= AGREES_MS:
            return
    pytest.fail(f"frozen for {frozen_ms} ms, the probe was wrong by {errors} ms; at most {AGREES_MS} is right")


def probe_error_ms(cluster: LiveCluster, prober: Prober, member: Member, frozen_ms: int) -> float:
    """Freeze the API server of ``member`` under a probe; by how much longer the outage is that was found.

    Reads alone, so that the herd that waits for the server when it wakes is small: working it off is no freeze.
    """
    reads = Plan(streams=(Plan().stream("read", "reused"),), server=member.server, watch=False)
    with prober.running(reads) as probe:
        probe.wait_steady(for_s=1)
        frozen_ns = freeze_for(cluster, member.name, frozen_ms / 1000)
        thawed_ns = time.monotonic_ns()
        probe.wait_steady(for_s=1, after_ns=thawed_ns)
        result = probe.stop()
    found = result.summary("read", "reused", since_ns=frozen_ns, until_ns=thawed_ns + 1_000_000_000)
    return found.outage_ms - (thawed_ns - frozen_ns) / 1e6


def freeze_for(cluster: LiveCluster, host: str, seconds: float) -> int:
    """Freeze the API server of a host for that long; when it was frozen."""
    cluster.faults.freeze(host, COMPONENT)
    try:
        frozen_ns = time.monotonic_ns()
        time.sleep(seconds)
    finally:
        cluster.faults.thaw(host, COMPONENT)
    return frozen_ns
