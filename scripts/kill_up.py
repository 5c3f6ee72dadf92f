#!/usr/bin/env python3
"""Whether `idcbench up` goes on after it was killed or cut off, wherever that was, and always to the same cluster.

    scripts/kill_up.py [INVENTORY] [--bundle FILE] [--kills 30] [--cut] [--seed N]

Runs `up` again and again, each time killed (SIGKILL) after a time drawn from what an undisturbed run takes, until it
ends by itself; then the cluster has to be whole, and a further run has to change nothing. Then `down`, and from the
top, until so many kills were survived. With --cut (as root) the driver is not killed: from then on every packet of its
to the hosts' SSH vanishes without a reset, until it has given up by itself. Without INVENTORY on scripted machines of
its own; with one on its hosts, which have to be bare and are bare again afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench_many_hosts import DRIVER, driven, room

from idcbench.hosts.inventory_file import read_inventory

SCRIPTED = 6
GIVES_UP_S = 180.0
"""By then a driver that hears nothing from its hosts has ended, with an error."""


@dataclass(slots=True, kw_only=True)
class Trial:
    """One inventory, and what was seen so far."""

    inventory: Path
    bundle: Sequence[str]
    chance: random.Random
    cut: bool = False
    whole_s: float = 0.0
    kills: list[tuple[float, str]] = field(default_factory=list)
    recovered_s: list[float] = field(default_factory=list)

    def up(self) -> float:
        return driven("up", str(self.inventory), *self.bundle).seconds

    def down(self) -> None:
        name = next(
            line.split(":", 1)[1].strip() for line in self.inventory.read_text().splitlines() if "name:" in line
        )
        driven("down", str(self.inventory), "--confirm", name)

    def broken_once(self) -> bool:
        """Begin `up` and kill it or cut it off; false when it was faster."""
        after_s = self.chance.uniform(0.3, self.whole_s)
        process = subprocess.Popen(
            [*DRIVER, "up", str(self.inventory), *self.bundle],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            process.communicate(timeout=after_s)
        except subprocess.TimeoutExpired:
            said = self._cut_off(process) if self.cut else killed(process)
            if process.returncode == 0:
                return False
            lines = said.strip().splitlines()
            self.kills.append((after_s, lines[-1] if lines else "before a word"))
            print(f"{len(self.kills)} after {after_s:.1f} s: {self.kills[-1][1]}", flush=True)
            return True
        return False

    def _cut_off(self, process: subprocess.Popen[str]) -> str:
        """Let nothing reach the hosts' SSH until the driver has ended. It has to end with an error, and by itself."""
        rules = [
            ["OUTPUT", "-p", "tcp", "-d", host.address, "--dport", str(host.port), "-j", "DROP"]
            for host in read_inventory(self.inventory).hosts
        ]
        try:
            for rule in rules:
                subprocess.run(["iptables", "-w", "-I", *rule], check=True)
            said, _ = process.communicate(timeout=GIVES_UP_S)
        except subprocess.TimeoutExpired:
            sys.exit(f"cut off, the driver still waits after {GIVES_UP_S:g} s:\n{killed(process)[-2000:]}")
        finally:
            for rule in rules:
                subprocess.run(["iptables", "-w", "-D", *rule], check=False)
        return said

    def until_whole(self, most: int) -> None:
        """Kill until a run ends by itself or so many kills are made, then let one end."""
        while len(self.kills) < most and self.broken_once():
            pass
        began_s = time.monotonic()
        self.up()
        self.recovered_s.append(time.monotonic() - began_s)
        again = driven("up", str(self.inventory), *self.bundle)
        if "plan: nothing to do" not in again.output:
            sys.exit(f"after {len(self.kills)} kills a further run changed something:\n{again.output[-2000:]}")


def killed(process: subprocess.Popen[str]) -> str:
    """Kill the driver; what it had said."""
    process.send_signal(signal.SIGKILL)
    return process.communicate()[0] or ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inventory", type=Path, nargs="?")
    parser.add_argument("--bundle")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--cut", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    print(f"seed {given.seed}")
    with contextlib.ExitStack() as stack:
        inventory = given.inventory
        if inventory is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="idcbench-room-")))
            stack.enter_context(room(folder, SCRIPTED, 20.0))
            inventory = folder / "inventory.yaml"
        trial = Trial(
            inventory=inventory, bundle=[f"--bundle={given.bundle}"] if given.bundle else [],
            chance=random.Random(given.seed), cut=given.cut,
        )  # fmt: skip
        trial.whole_s = trial.up()
        trial.down()
        while len(trial.kills) < given.kills:
            trial.until_whole(given.kills)
            trial.down()
    what = "cuts" if given.cut else "kills"
    print(
        f"{len(trial.kills)} {what} survived; an undisturbed run takes {trial.whole_s:.1f} s, the one after the last "
        f"of them {statistics.median(trial.recovered_s):.1f} s (median of {len(trial.recovered_s)})"
    )


if __name__ == "__main__":
    main()
