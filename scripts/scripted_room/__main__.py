"""A room of scripted machines: SSH servers that answer as bare Debian hosts do, and remember what was done to them.

    python scripts/scripted_room FOLDER [--hosts 100] [--control-planes 3] [--latency-ms 20] [--step-ms 50]

Writes FOLDER/inventory.yaml, room.bundle and keys, prints `ready`, and serves until its standard input ends. No machine
and no Kubernetes is behind it: it is for how `idcbench up` works on many hosts, and for what becomes of a run that is
killed or cut off. Lines on standard input: after `cut=HOST:STEP` the connection that begins that step is cut without a
word, once, while the step goes on; `off=HOST` and `on=HOST` take a host away and bring it back; `clock=HOST:SECONDS`
sets its clock ahead of this machine's, or behind.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from cluster import Cluster
from files import write_files
from machine import Machine
from server import Servers


async def serve(given: argparse.Namespace) -> None:
    cluster = Cluster()
    machines = [
        Machine(number=number, is_control_plane=number <= given.control_planes, cluster=cluster,
                step_s=given.step_ms / 1000)
        for number in range(1, given.hosts + 1)
    ]  # fmt: skip
    given.folder.mkdir(parents=True, exist_ok=True)
    keys = write_files(given.folder, machines)
    servers = Servers(keys, latency_s=given.latency_ms / 1000)
    for machine in machines:
        await servers.add(machine)
    print("ready", flush=True)
    await follow(servers, {machine.name: machine for machine in machines})
    await servers.close()


async def follow(servers: Servers, machines: dict[str, Machine]) -> None:
    """Do what standard input says until it ends."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode().strip():
        verb, _, words = line.partition("=")
        host, _, value = words.partition(":")
        if verb == "cut":
            machines[host].cut_at.add(value)
        elif verb == "clock":
            machines[host].ahead_s = float(value)
        elif verb == "off":
            await servers.remove(machines[host])
        elif verb == "on":
            await servers.add(machines[host])
        print(f"done {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--control-planes", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=20.0, help="of a round trip")
    parser.add_argument("--step-ms", type=float, default=50.0, help="that each step on a host takes")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
