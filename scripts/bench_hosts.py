#!/usr/bin/env python3
"""How long a room of bare hosts takes to become a cluster, and what changes to it take: on a lab, round after round.

    scripts/bench_hosts.py --bundle FILE [--lab bench] [--hosts 5] [--control-planes 3] [--rounds 5]

Each round: `up` from bare hosts, `up` again, a worker removed and added, a control plane wiped and replaced, `down`.
The lab is made at the start and removed at the end; hosts are bare Debian, the bundle is all that they get.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from collections import defaultdict
from pathlib import Path

from tabulate import tabulate

from idcbench.hosts.inventory import Inventory
from idcbench.hosts.inventory_file import read_inventory
from idcbench.provisioning.kubeadm import nodes
from idcbench.provisioning.kubeadm.downing import take_down
from idcbench.provisioning.kubeadm.upping import Upped, bring_up
from idcbench.provisioning.lab.lab import Lab
from idcbench.provisioning.lab.spec import LabSpec

STAGES = ("copy", "install", "import", "init", "join", "addons", "verify")
"""As the steps are called; of those that several hosts do at once the slowest host's counts."""
Found = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--lab", default="bench")
    parser.add_argument("--hosts", type=int, default=5)
    parser.add_argument("--control-planes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    lab = Lab(given.lab)
    found: Found = defaultdict(list)
    try:
        lab.up(LabSpec(hosts=given.hosts, control_planes=given.control_planes), setup_runtime=True)
        for number in range(1, given.rounds + 1):
            print(f"round {number} of {given.rounds}", flush=True)
            asyncio.run(one_round(lab, given.bundle, found))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    finally:
        report(found)
        lab.down()


async def one_round(lab: Lab, bundle: Path, found: Found) -> None:
    inventory = read_inventory(lab.files.inventory)
    made = await bring_up(inventory, bundle=bundle, say=quiet)
    keep(found, "up", made, seconds=made.seconds)
    again = await bring_up(inventory, bundle=bundle, say=quiet)
    assert not again.plan.changes, again.plan.lines
    found["again, nothing to change"].append(again.seconds)
    await changed(lab, inventory, bundle, found)
    clock = asyncio.get_running_loop()
    began_s = clock.time()
    await take_down(inventory, confirm=inventory.name, say=quiet)
    found["down"].append(clock.time() - began_s)


async def changed(lab: Lab, inventory: Inventory, bundle: Path, found: Found) -> None:
    worker, control_plane = inventory.workers[-1].name, inventory.control_planes[-1].name
    clock = asyncio.get_running_loop()
    began_s = clock.time()
    await nodes.remove(inventory, worker, force=False, timeout_s=nodes.DRAIN_S, bundle=bundle, say=quiet)
    found["worker removed"].append(clock.time() - began_s)
    began_s = clock.time()
    added = await nodes.add(inventory, [worker], bundle=bundle, say=quiet)
    keep(found, "worker added", added, seconds=clock.time() - began_s)
    await asyncio.to_thread(lab.wipe, control_plane)
    began_s = clock.time()
    made = await nodes.replace_host(
        inventory, control_plane, force=False, timeout_s=nodes.DRAIN_S, bundle=bundle, say=quiet
    )
    keep(found, "control plane replaced", made, seconds=clock.time() - began_s)


def keep(found: Found, what: str, upped: Upped, *, seconds: float) -> None:
    found[what].append(seconds)
    for stage in STAGES:
        times = [seconds for name, seconds in upped.stages.items() if name.split(" ")[0] == stage]
        joined = sum(times) if stage == "join" else max(times, default=0.0)
        found[f"  {what}: {stage}"].append(joined)


def quiet(_line: str) -> None:
    """What is done is not shown."""


def report(found: Found) -> None:
    rows = [
        (what, len(values), f"{statistics.median(values):.1f}", f"{min(values):.1f} – {max(values):.1f}")
        for what, values in found.items()
    ]
    print(tabulate(rows, headers=["what", "n", "p50, s", "min – max, s"]))


if __name__ == "__main__":
    main()
