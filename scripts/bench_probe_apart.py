#!/usr/bin/env python3
"""Whether what a test does in its own process makes the probe late: with and without 30 MB of JSON decoded in a loop.

    scripts/bench_probe_apart.py [--rounds 10] [--seconds 10] [--control-planes 1]

On an embedded cluster of its own. In each round the probe sends its plan twice, in an order that is drawn: while this
process waits, and while it decodes one text of 30 MB again and again. Prints the p99 of the probe's start lag of both,
and how far the busy one is off, round by round; goal: less than 5 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Callable

import numpy as np
from tabulate import tabulate

from idcbench.cluster import ClusterSpec
from idcbench.measure.probe import Prober
from idcbench.provisioning.embedded.target import EmbeddedTarget

SIZE_BYTES = 30_000_000
GOAL_MS = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--control-planes", type=int, default=1)
    given = parser.parse_args()
    print(asyncio.run(measured(given)))


async def measured(given: argparse.Namespace) -> str:
    spec = ClusterSpec(name="apart", control_planes=given.control_planes, nodes=0)
    async with EmbeddedTarget(name="apart").cluster(spec, keep=False) as cluster:
        return await asyncio.to_thread(compared, Prober(cluster.access), given.rounds, given.seconds)


def compared(prober: Prober, rounds: int, seconds: float) -> str:
    item = {"kind": "Pod", "metadata": {"name": "a" * 40, "labels": {"app": "web"}}, "spec": {"n": [1, 2, 3]}}
    text = json.dumps([item] * (SIZE_BYTES // len(json.dumps(item))))
    work: dict[str, Callable[[float], None]] = {"idle": time.sleep, "busy": lambda for_s: decode(text, for_s)}
    rows = []
    for number in range(1, rounds + 1):
        lag_ms = {name: lag_p99_ms(prober, work[name], seconds) for name in random.sample(list(work), k=2)}
        rows.append((number, lag_ms["idle"], lag_ms["busy"], lag_ms["busy"] - lag_ms["idle"]))
        print(f"round {number}: idle {lag_ms['idle']:.2f} ms, decoding {lag_ms['busy']:.2f} ms", flush=True)
    off = [row[3] for row in rows]
    table = tabulate(rows, headers=["round", "idle, ms", "decoding, ms", "off by, ms"], floatfmt=".2f")
    return (
        f"{table}\np99 of the probe's start lag, {len(text) / 1e6:.0f} MB decoded in a loop: off by "
        f"{statistics.median(off):+.2f} ms at the median ({min(off):+.2f} to {max(off):+.2f}), n = {rounds}; "
        f"goal < {GOAL_MS:g} ms"
    )


def decode(text: str, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        json.loads(text)


def lag_p99_ms(prober: Prober, work: Callable[[float], None], seconds: float) -> float:
    with prober.running() as probe:
        probe.wait_steady()
        since_ns = time.monotonic_ns()
        work(seconds)
        until_ns = time.monotonic_ns()
        sent = probe.stop().requests
    window = sent[(sent["planned_ns"] >= since_ns) & (sent["planned_ns"] < until_ns)]
    return float(np.quantile((window["started_ns"] - window["planned_ns"]) / 1e6, 0.99, method="higher"))


if __name__ == "__main__":
    main()
