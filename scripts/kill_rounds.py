#!/usr/bin/env python3
"""Kill idcbench at random moments and look at what is left.

Each round starts `idcbench up`, kills by SIGKILL, at a random moment: the command before it is ready, the supervisor
(before or after ready), the gateway (the inner helper), or the command that holds a cluster it did not hand over. Then,
within 2 s, no process of the cluster, no namespace, no mount and no listening socket may be left, and the next command
must clear the state directory. The gateway must instead be restarted. Prints a table and exits 1 when a round failed.

    scripts/kill_rounds.py [--rounds 50] [--seed 1]
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

LIMIT_S = 2.0
READY_LIMIT_S = 90.0
KINDS = ("command before ready", "supervisor before ready", "supervisor after ready", "holder after ready", "gateway")
HOLD = """
import asyncio, sys
from idcbench.cluster import ClusterSpec
from idcbench.provisioning.embedded.target import EmbeddedTarget
async def hold():
    async with EmbeddedTarget(name="rounds").cluster(ClusterSpec(control_planes=1, nodes=0), keep=False):
        print("ready", flush=True)
        await asyncio.sleep(600)
asyncio.run(hold())
"""


def idcbench(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "idcbench.cli.main", *arguments]


def wait(holds: Callable[[], object], *, limit_s: float) -> bool:
    end_s = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.01)
    return True


class Round:
    """One cluster in a state folder of its own, and what is left of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "XDG_STATE_HOME": str(home)}
        self.root = home / "idcbench/embedded-rounds"

    def record(self) -> dict[str, object]:
        try:
            return dict(msgspec.json.decode((self.root / "cluster.json").read_bytes()))
        except (OSError, msgspec.MsgspecError):
            return {}

    def supervisor(self) -> int:
        return int(str(self.record().get("supervisor", 0)))

    def left(self) -> list[str]:
        """Mounts and processes of this cluster: all carry its state folder in command line or environment."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                line = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:
                continue
            if str(self.home).encode() in line and int(folder.name) != os.getpid():
                found.append(f"process {folder.name} {line[:60]!r}")
        mounts = Path("/proc/self/mounts").read_text()
        return found + [f"mount {line}" for line in mounts.splitlines() if str(self.home) in line]

    def namespaces(self) -> set[str]:
        """Every network namespace that some process is in or that has a name here."""
        seen = set()
        for link in Path("/proc").glob("[0-9]*/ns/net"):
            try:
                seen.add(str(link.readlink()))
            except OSError:
                continue
        return seen


def play(kind: str, home: Path, chance: random.Random) -> str:
    """One round; gives what went wrong, nothing when all was well."""
    one = Round(home)
    before = one.namespaces()
    if kind == "holder after ready":
        command = subprocess.Popen([sys.executable, "-c", HOLD], env=one.environment, stdout=subprocess.PIPE, text=True)
    else:
        arguments = idcbench("up", "--name", "rounds", "--control-planes", "1", "--nodes", "0")
        command = subprocess.Popen(
            arguments, env=one.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )
    try:
        wrong = strike(kind, one, command, chance)
        if not wrong and kind != "gateway":
            clean = wait(lambda: not one.left() and not (one.namespaces() - before), limit_s=LIMIT_S)
            wrong = "" if clean else f"left after {LIMIT_S:g} s: {one.left() or 'a namespace'}"
    finally:
        command.kill()
        command.wait()
    down = subprocess.run(idcbench("down", "--name", "rounds"), env=one.environment, capture_output=True, check=False)
    if down.returncode or list((home / "idcbench").glob("*")):
        return f"{wrong} down left something: {down.stderr.decode()}"
    return wrong


def strike(kind: str, one: Round, command: subprocess.Popen[str], chance: random.Random) -> str:
    """Kill what ``kind`` says; gives what went wrong."""
    if kind == "command before ready":
        time.sleep(chance.uniform(0.05, 3.0))
        command.kill()
    elif kind == "supervisor before ready":
        if not wait(one.supervisor, limit_s=20):
            return "no supervisor was started"
        time.sleep(chance.uniform(0, 2.5))
        os.kill(one.supervisor(), signal.SIGKILL)
        command.wait(timeout=20)
    elif kind == "holder after ready":
        if command.stdout is None or command.stdout.readline() != "ready\n":
            return "the cluster did not become ready"
        time.sleep(chance.uniform(0, 1))
        command.kill()
    else:
        if command.wait(timeout=READY_LIMIT_S):
            return "the cluster did not become ready"
        time.sleep(chance.uniform(0, 1))
        if kind == "gateway":
            return kill_gateway(one)
        os.kill(one.supervisor(), signal.SIGKILL)
    return ""


def kill_gateway(one: Round) -> str:
    """The inner helper is one of the supervisor's components: it must be back, and the cluster reachable."""
    mark = b"idcbench.provisioning.embedded.gateway"

    def gateways() -> set[int]:
        pids = set()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if mark in line and str(one.home).encode() in line:
                pids.add(int(folder.name))
        return pids

    old = gateways()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    if not wait(lambda: gateways() and not gateways() & old, limit_s=LIMIT_S):
        return "the gateway was not restarted"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    good: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for number in range(1, given.rounds + 1):
        kind = KINDS[(number - 1) % len(KINDS)]
        with tempfile.TemporaryDirectory(prefix="idcbench-rounds-") as home:
            wrong = play(kind, Path(home), chance)
        (bad if wrong else good)[kind] += 1
        print(f"{number:3} of {given.rounds}  {kind:26}{'ok' if not wrong else 'FAILED: ' + wrong}", flush=True)
    for kind in KINDS:
        print(f"{kind:26} {good[kind]} of {good[kind] + bad[kind]} left nothing behind")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
