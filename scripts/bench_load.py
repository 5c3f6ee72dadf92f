#!/usr/bin/env python3
"""How much one load process sends, over TLS, to a null server on the other core.

    scripts/bench_load.py [--rate 5000] [--connections 64] [--seconds 10] [--rounds 5] [--aiohttp]

Each round sends the plan and prints how late requests started, how long answers took and what was dropped. With
--aiohttp, aiohttp's client sends the same plan in turn, as a check of what the lean client is for.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

import aiohttp
import numpy as np

from idcbench.kube.access import Access
from idcbench.measure.arrivals import Times, constant
from idcbench.measure.calls import Call
from idcbench.measure.load_plan import LoadPlan
from idcbench.measure.load_sending import send_load
from idcbench.measure.open_loop import Outcome
from idcbench.measure.synthetic import Behaviour, SyntheticServer, SyntheticSettings
from idcbench.provisioning.controlplane.pki import authority, leaf, write_pair

READ = Call(name="read", path="/api/v1/namespaces/default/configmaps/a")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=5000.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--aiohttp", action="store_true")
    given = parser.parse_args()
    planned = constant(given.rate, given.seconds)
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        ca = authority("bench")
        write_pair(folder, "ca", ca)
        write_pair(folder, "server", leaf("server", signer=ca, names=("127.0.0.1",), server=True))
        settings = SyntheticSettings(
            behaviour=Behaviour(), certificate=folder / "server.crt", key=folder / "server.key"
        )  # fmt: skip
        os.sched_setaffinity(0, {cores[0]})
        with SyntheticServer(settings) as server:
            os.sched_setaffinity(0, {cores[-1]})
            access = Access(server=server.url, kubeconfig=folder / "none", ca_file=folder / "ca.crt")
            for _ in range(given.rounds):
                lean(access, planned, given.connections)
                if given.aiohttp:
                    asyncio.run(by_aiohttp(access, planned, given.connections))


def lean(access: Access, planned: Times, connections: int) -> None:
    """One round of the load process."""
    found = send_load(access, LoadPlan(planned_ns=planned, calls=(READ,), connections=connections))
    (overhead,) = found.overheads
    counts = found.counts()
    told("load process", counts[Outcome.OK], len(planned), found.sent["started_ns"] - found.sent["planned_ns"],
         found.latency_ms(), overhead.cpu_s / overhead.wall_s)  # fmt: skip


async def by_aiohttp(access: Access, planned: Times, connections: int) -> None:
    """The same by aiohttp's client, a task for each request."""
    lags, latencies = np.zeros(len(planned), dtype=np.int64), np.zeros(len(planned))
    ok = 0

    async def send(at: int, planned_ns: int) -> None:
        nonlocal ok
        lags[at] = time.monotonic_ns() - planned_ns
        async with client.get(access.server + READ.path) as answer:
            await answer.read()
        latencies[at] = (time.monotonic_ns() - planned_ns) / 1e6
        ok += answer.status == 200

    connector = aiohttp.TCPConnector(limit=connections, ssl=access.ssl_context())
    used_s, begun_s = time.process_time(), time.monotonic()
    async with aiohttp.ClientSession(connector=connector) as client, asyncio.TaskGroup() as tasks:
        start_ns = time.monotonic_ns() + 300_000_000
        for at, offset_ns in enumerate(planned.tolist()):
            while (wait_ns := start_ns + offset_ns - time.monotonic_ns()) > 0:
                await asyncio.sleep(wait_ns / 1e9)
            tasks.create_task(send(at, start_ns + offset_ns))
            if at % 16 == 15:
                await asyncio.sleep(0)
    told("aiohttp", ok, len(planned), lags, latencies,
         (time.process_time() - used_s) / (time.monotonic() - begun_s))  # fmt: skip


def told(who: str, ok: int, planned: int, lags_ns: Times, latency_ms: np.ndarray, cores: float) -> None:  # type: ignore[type-arg]
    lag_ms = lags_ns / 1e6
    print(
        f"{who}: {ok} of {planned} ok; start lag p50 {np.quantile(lag_ms, 0.5):.2f} ms, p99 "
        f"{np.quantile(lag_ms, 0.99):.2f} ms, max {lag_ms.max():.1f} ms; latency p50 "
        f"{np.quantile(latency_ms, 0.5):.2f} ms, p99 {np.quantile(latency_ms, 0.99):.2f} ms; {cores:.2f} cores",
        flush=True,
    )


if __name__ == "__main__":
    main()
