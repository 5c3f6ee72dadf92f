"""Proof of the probe, on a real API server: it finds freezes of known length."""

from __future__ import annotations

import time

import pytest

from idcbench.measure.plan import KINDS, STREAMS, Kind, Plan
from idcbench.measure.probe import Prober
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record

from .drill import Range

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
    for _ in range(TRIES):
        errors = probe_errors_ms(idc_cluster, idc_probe, ground.members[0].name, ground.members[0].server, frozen_ms)
        for kind, error_ms in errors.items():
            idc_record(
                "measure.probe_error",
                abs(error_ms),
                unit="ms",
                labels={"frozen_ms": str(frozen_ms), "kind": kind},
                definition="how far the full outage that the probe found is from the time an API server was frozen",
            )
        if all(abs(error_ms) <= AGREES_MS for error_ms in errors.values()):
            return
    pytest.fail(f"frozen for {frozen_ms} ms: {TRIES} times the probe was wrong by more than {AGREES_MS} ms: {errors}")


def probe_errors_ms(cluster: LiveCluster, prober: Prober, host: str, server: str, frozen_ms: int) -> dict[Kind, float]:
    """Freeze the API server under a probe; by how much the outage that was found is longer, for each kind."""
    reused = tuple(stream for stream in STREAMS if stream.connection == "reused")
    with prober.running(Plan(streams=reused, server=server, watch=False)) as probe:
        probe.wait_steady(for_s=1)
        frozen_ns = freeze_for(cluster, host, frozen_ms / 1000)
        thawed_ns = time.monotonic_ns()
        probe.wait_steady(for_s=1, after_ns=thawed_ns)
        result = probe.stop()
    really_ms = (thawed_ns - frozen_ns) / 1e6
    until_ns = thawed_ns + 1_000_000_000
    found = {kind: result.summary(kind, "reused", since_ns=frozen_ns, until_ns=until_ns) for kind in KINDS}
    return {kind: round(summary.outage_ms - really_ms, 1) for kind, summary in found.items()}


def freeze_for(cluster: LiveCluster, host: str, seconds: float) -> int:
    """Freeze the API server of a host for that long; when it was frozen."""
    cluster.faults.freeze(host, COMPONENT)
    try:
        frozen_ns = time.monotonic_ns()
        time.sleep(seconds)
    finally:
        cluster.faults.thaw(host, COMPONENT)
    return frozen_ns
