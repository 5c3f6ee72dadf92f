#!/usr/bin/env python3
"""Break a control plane in every way while its schedulers work, and judge every placement afterwards.

    scripts/chaos_scheduler.py [--pods 20000] [--rounds 2] [--seed 1] [--faults NAME,…] [--json FILE]

Brings up three members with a scheduler of idcbench on each, one of which leads (profile fast), and creates pods that
need exactly the room there is: some alone, some in gangs of 10 to 50, some spread over zones, some kept apart; some
gangs have no room at first. In the midst of each part a fault strikes, in an order and at moments that the seed draws,
when some gang is half bound:

leader-killed       SIGKILL to the scheduler that leads
leader-frozen       SIGSTOP to it until another leads, and then SIGCONT
leader-cut-off      its host's network is silent for 3 to 12 s
lease-deleted       its lease is deleted
lease-given-away    its lease is rewritten in the name of one stand-by after another
api-server-killed   SIGKILL to an API server
watch-cut           the API server that the leader watches is restarted
watch-stalled       the same is stopped for 4 to 20 s, all connections left open
etcd-leader-killed  SIGKILL to the etcd that leads
etcd-leader-moved   its lead is handed over

At the end every pod has to be bound once, by the audit logs too, no node overcommitted, no rule broken (by the
benchmark's independent checker), no gang partial, also before there was room for all; every pod has its Scheduled event
unless its scheduler was killed with it; and nothing may be left running. Exits with 1 otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import ssl
import sys
import time
from collections import defaultdict
from pathlib import Path

import msgspec
from tabulate import tabulate

from idcbench.cluster import ClusterSpec
from idcbench.errors import IdcError
from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession
from idcbench.provisioning.embedded.cluster import EmbeddedCluster
from idcbench.provisioning.embedded.target import EmbeddedTarget
from idcbench.scheduler.chaos.drill import Drill
from idcbench.scheduler.chaos.etcd import Etcd
from idcbench.scheduler.chaos.faults import STRIKES
from idcbench.scheduler.chaos.ground import Ground
from idcbench.scheduler.chaos.outcome import Outcome, Round
from idcbench.scheduler.chaos.workload import workload

MEMBERS = 3
LEFT_LIMIT_S = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pods", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=2, help="how often each fault strikes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", default=",".join(STRIKES), metavar="NAME,…", help="only these")
    parser.add_argument("--name", default=f"chaos-{os.getpid()}", help="of the cluster, which is removed at the end")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the logs of all components here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome here")
    given = parser.parse_args()
    faults = given.faults.split(",")
    if unknown := set(faults) - STRIKES.keys():
        parser.error(f"--faults: no {', '.join(sorted(unknown))}; there are {', '.join(STRIKES)}")
    random.Random(given.seed).shuffle(order := faults * given.rounds)
    target = EmbeddedTarget(name=given.name)
    try:
        outcome = asyncio.run(drilled(target, given.pods, order, seed=given.seed, logs=given.logs))
    except (IdcError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    outcome.violations += left(target)
    if given.json:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(outcome), indent=1))
    print(summary(outcome, seed=given.seed))
    return 1 if outcome.violations else 0


async def drilled(target: EmbeddedTarget, pods: int, faults: list[str], *, seed: int, logs: Path | None) -> Outcome:
    """Bring the cluster up, hold the drill, and take it down."""
    load = workload(pods, seed=seed)
    spec = ClusterSpec(control_planes=MEMBERS, nodes=0, scheduler="idcbench", profile="fast")
    say("bringing three members up")
    async with (
        target.cluster(spec, keep=False) as cluster,
        ApiSession(cluster.access, server=cluster.access.members, timeout_s=3.0, read_retries=20) as api,
    ):
        try:
            await without_controllers(cluster, api)
            ground = ground_of(cluster, api)
            return await Drill(ground, load, faults, seed=seed, progress=lambda what, **_: say(what)).run()
        finally:
            if logs:
                copy_logs(cluster, logs)


async def without_controllers(cluster: EmbeddedCluster, api: ApiSession) -> None:
    """End the controller-managers, which would take away pods from nodes that send no heartbeats."""
    while True:
        try:
            await api.get("/api/v1/namespaces/default/serviceaccounts/default")
            break
        except ApiError as error:
            if error.status != 404:
                raise
            await asyncio.sleep(0.2)
    for host in cluster.hosts:
        await cluster.faults.stop(host.name, "kube-controller-manager")


def ground_of(cluster: EmbeddedCluster, api: ApiSession) -> Ground:
    """The cluster as the drill sees it; etcd is asked with the API server's own certificate."""
    hosts = {host.name: host.address for host in cluster.hosts}
    pki = cluster.state.host(next(iter(hosts))) / "pki"
    tls = ssl.create_default_context(cafile=str(pki / "etcd/ca.crt"))
    tls.load_cert_chain(pki / "apiserver-etcd-client.crt", pki / "apiserver-etcd-client.key")
    return Ground(
        access=cluster.access,
        faults=cluster.faults,
        hosts=hosts,
        audit_logs={name: cluster.state.logs / name / "audit.log" for name in hosts},
        etcd=Etcd(access=cluster.access, addresses=hosts, tls=tls),
        api=api,
    )


def left(target: EmbeddedTarget) -> list[str]:
    """Processes of the cluster, which carry its state folder in their command line, some time after its end."""
    mark = str(target.state.root).encode()
    ends_s = time.monotonic() + LEFT_LIMIT_S
    while True:
        found = [folder.name for folder in Path("/proc").glob("[0-9]*") if mark in command_line(folder)]
        if not found and not target.state.root.exists():
            return []
        if time.monotonic() > ends_s:
            return [f"left behind: processes {', '.join(found) or 'none'}, folder {target.state.root}"]
        time.sleep(0.1)


def command_line(folder: Path) -> bytes:
    try:
        return (folder / "cmdline").read_bytes()
    except OSError:
        return b""


def copy_logs(cluster: EmbeddedCluster, target: Path) -> None:
    for log in cluster.state.logs.rglob("*.log"):
        if not log.name.startswith("audit"):
            copy = target / log.relative_to(cluster.state.logs)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(log.read_bytes())


def summary(outcome: Outcome, *, seed: int) -> str:
    rounds: dict[str, list[Round]] = defaultdict(list)
    for one in outcome.rounds:
        rounds[one.fault].append(one)
    rows = [
        (fault, len(each), f"{min(one.pause_s for one in each):.1f}", f"{max(one.pause_s for one in each):.1f}",
         sum(one.half_bound for one in each))
        for fault, each in sorted(rounds.items())
    ]  # fmt: skip
    headers = ["fault", "times", "longest pause, s: min", "max", "gangs found half bound"]
    faults = tabulate(rows, headers=headers)
    verdict = "\n".join(f"VIOLATION: {one}" for one in outcome.violations) or "no violation"
    return f"""
{faults}

seed {seed}: {outcome.pods} pods, {outcome.gangs} gangs, {outcome.nodes} nodes, {outcome.wall_s:.0f} s
bound {outcome.bound}; successful bindings in the audit logs {outcome.bound_by_log}, others by status {outcome.refused}
gangs while room was scarce: {outcome.whole_gangs_when_scarce} whole, {outcome.waiting_gangs_when_scarce} waiting
Scheduled events {outcome.events}, for {outcome.events_twice} pods more than one; lost with a killed scheduler \
{outcome.events_lost_with_killed}
{verdict}"""


def say(what: str) -> None:
    if what:
        print(time.strftime("%H:%M:%S"), what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
