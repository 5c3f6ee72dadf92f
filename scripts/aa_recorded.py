#!/usr/bin/env python3
"""How often a comparison of nothing finds something: rounds recorded on a real control plane, paired at random.

    scripts/aa_recorded.py [--rounds 60] [--seconds 5] [--repairings 200] [--control-planes 1] [--seed 1]

Records rounds of an open load (reads, lists and writes of ConfigMaps) on the embedded target, all of them the same.
Then, again and again, draws pairs of them by lot, calls one side A and the other B, and compares with the default
minimum effect: six headlines, p50 and p99 of each kind of request. Every better or worse is a false one.
"""

from __future__ import annotations

import argparse
import asyncio
import time

import numpy as np

from idcbench.cluster import ClusterSpec
from idcbench.kube.access import Access
from idcbench.kube.session import ApiSession
from idcbench.measure.arrivals import poisson
from idcbench.measure.calls import Call
from idcbench.measure.effect import paired_effect
from idcbench.measure.loader import LoadPlan, run_load
from idcbench.measure.statistics import Values
from idcbench.provisioning.embedded.target import EmbeddedTarget
from idcbench.runs.comparing import MINIMUM_EFFECT
from idcbench.runs.judging import judge

NAME = "aa-recorded"
MAPS = "/api/v1/namespaces/default/configmaps"
RATE_PER_S = 250.0
CALLS = (
    Call(name="read", path=f"{MAPS}/kube-root-ca.crt"),
    Call(name="list", path=f"{MAPS}?limit=20"),
    Call(name="write", method="POST", path=MAPS,
         body='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"aa-{n}","labels":{"aa":"yes"}},"data":{"a":"b"}}'),
)  # fmt: skip
QUANTILES = (0.50, 0.99)
DIFFERS = ("better", "worse")
Round = list[Values]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--repairings", type=int, default=200)
    parser.add_argument("--control-planes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rounds = asyncio.run(recorded(given.rounds, given.seconds, given.control_planes))
    for call, name in enumerate(one.name for one in CALLS):
        medians = [float(np.median(one[call])) for one in rounds]
        print(f"{name}: p50 of the rounds {min(medians):.2f} to {max(medians):.2f} ms, {len(rounds[0][call])} each")
    false = [compared(rounds, np.random.default_rng(given.seed + number)) for number in range(given.repairings)]
    print(f"any headline better or worse: {sum(map(bool, false))} of {len(false)}, {sum(false)} headlines in all")


async def recorded(count: int, seconds: float, members: int) -> list[Round]:
    """The latencies of each round, by kind of request."""
    spec = ClusterSpec(name=NAME, control_planes=members, nodes=0)
    rounds: list[Round] = []
    async with EmbeddedTarget(name=NAME).cluster(spec, keep=False) as cluster:
        await asyncio.to_thread(one_round, cluster.access, seconds, -1)  # warms up
        for number in range(count):
            await clear(cluster.access)
            rounds.append(await asyncio.to_thread(one_round, cluster.access, seconds, number))
            print(f"{number + 1} of {count}", end="\r", flush=True)
    return rounds


def one_round(access: Access, seconds: float, number: int) -> Round:
    """Raises ``SystemExit`` for a round that is not what it should be."""
    plan = LoadPlan(
        planned_ns=poisson(RATE_PER_S, seconds, seed=number + 1), calls=CALLS, connections=32, seed=number + 1
    )
    found = run_load(access, plan)
    if found.objections and number >= 0:
        print(f"round {number + 1}: {'; '.join(found.objections)}")
    return [found.latency_ms(call.name) for call in CALLS]


async def clear(access: Access) -> None:
    """So that every round begins with the same objects, in a namespace that has settled."""
    async with ApiSession(access) as api:
        await api.delete(f"{MAPS}?labelSelector=aa%3Dyes")
    await asyncio.sleep(0.5)


def compared(rounds: list[Round], draw: np.random.Generator) -> int:
    """How many headlines differ when the rounds are paired by lot."""
    order = draw.permutation(len(rounds))
    half = len(rounds) // 2
    sides = [[rounds[at] for at in order[begin : begin + half]] for begin in (0, half)]
    effects = [
        paired_effect([one[call] for one in sides[0]], [one[call] for one in sides[1]], q=q)
        for call in range(len(CALLS))
        for q in QUANTILES
    ]
    judged = judge([(one, "lower") for one in effects], minimum_effect=MINIMUM_EFFECT, headlines=True)
    return sum(one.word in DIFFERS for one in judged)


if __name__ == "__main__":
    began_s = time.monotonic()
    main()
    print(f"took {time.monotonic() - began_s:.0f} s")
