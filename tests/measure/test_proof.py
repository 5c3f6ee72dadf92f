"""Proof of the probe: it finds a freeze of known length, on a reused connection straight to one server."""

from __future__ import annotations

import time
from typing import Any

import pytest

from idcbench.measure.plan import STREAMS, Plan
from idcbench.measure.probe import Prober

AGREES_MS = 40


@pytest.mark.integration
@pytest.mark.parametrize("frozen_ms", [50, 200, 1000])
def test_the_longest_gap_is_as_long_as_the_freeze(little_server: Any, frozen_ms: int) -> None:
    reused = tuple(stream for stream in STREAMS if stream.connection == "reused")
    plan = Plan(streams=reused, server=little_server.url, watch=False)
    with Prober(little_server.access).running(plan) as probe:
        probe.wait_steady(for_s=0.5)
        began_ns = little_server.freeze_for(frozen_ms / 1000)
        really_ms = (time.monotonic_ns() - began_ns) / 1e6
        probe.wait_steady(for_s=0.5, after_ns=time.monotonic_ns())
        result = probe.stop()
    for kind in ("read", "write"):
        summary = result.summary(kind, "reused", since_ns=began_ns, until_ns=result.ended_ns)
        assert abs(summary.outage_ms - really_ms) <= AGREES_MS, f"{kind}: {summary}, frozen for {really_ms:.0f} ms"
