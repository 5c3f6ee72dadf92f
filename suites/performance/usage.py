"""What the processes of the control plane use: processor time and memory of each component, read on its host."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pytest

from idcbench.cluster import COMPONENTS
from idcbench.plugin.live import LiveCluster

TICKS_PER_S = 100
"""USER_HZ, the unit of /proc/PID/stat, is 100 on every architecture that Kubernetes runs on (proc_pid_stat(5))."""
READ = """\
for pid in "$@"; do
  for one in $pid $(cat /proc/$pid/task/*/children); do
    echo "pid $pid $(cat /proc/$one/stat)"
    grep -F VmRSS: /proc/$one/status
  done
done"""


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu_s`` since a process began, its children's included; ``memory_bytes`` is what is resident now."""

    cpu_s: float = 0.0
    memory_bytes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.cpu_s + other.cpu_s, self.memory_bytes + other.memory_bytes)


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The usage of each component, all members together, when ``at_ns`` (CLOCK_MONOTONIC) was."""

    at_ns: int
    components: Mapping[str, Usage]

    @property
    def whole(self) -> Usage:
        return sum(self.components.values(), Usage())

    def cpu_since(self, before: ControlPlane) -> dict[str, float]:
        """Processor time of each component since then, in s. Raises ``ValueError`` when one was started anew."""
        used = {name: now.cpu_s - before.components[name].cpu_s for name, now in self.components.items()}
        if fell := [name for name, cpu_s in used.items() if cpu_s < 0]:
            raise ValueError(f"{', '.join(fell)}: started anew meanwhile, so what it used is not known")
        return used


def read_control_plane(cluster: LiveCluster) -> ControlPlane:
    """What every component uses now. Skips the test where processes are out of reach."""
    if not cluster.breakable or not cluster.hosts:
        pytest.skip(f"needs the control plane's processes, which are out of reach on target {cluster.facts.target}")
    running = [one for one in cluster.faults.components() if one.component in COMPONENTS and one.pid is not None]
    found: dict[str, Usage] = {}
    for host in cluster.hosts:
        names = {one.pid: one.component for one in running if one.host == host.name}
        text = host.run("sh", "-c", READ, "sh", *map(str, names)).stdout
        for pid, usage in usages_in(text.splitlines()):
            found[names[pid]] = found.get(names[pid], Usage()) + usage
    return ControlPlane(time.monotonic_ns(), {name: found[name] for name in COMPONENTS if name in found})


def usages_in(lines: Iterable[str]) -> list[tuple[int, Usage]]:
    """What :data:`READ` printed: a usage for each process, with the process id of the component that it belongs to.

    A process that ended between the two commands has no memory any more.
    """
    found: list[tuple[int, Usage]] = []
    for line in lines:
        if line.startswith("VmRSS:") and found:
            pid, usage = found[-1]
            found[-1] = pid, Usage(usage.cpu_s, int(line.split()[1]) * 1024)
        elif ")" in line:
            fields = line.rsplit(")", 1)[1].split()
            ticks = sum(int(each) for each in fields[11:13])  # utime, stime
            found.append((int(line.split()[1]), Usage(ticks / TICKS_PER_S)))
    return found
