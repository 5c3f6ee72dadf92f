"""What runs on a host, and what has exited there: read from its container runtime and its services."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from ..kubeadm import paths
from .verbs import ASIDE, UNITS

LOOK = f"""\
crictl ps -a -o json 2>/dev/null || echo '{{"containers":[]}}'
echo ---
ls {ASIDE} 2>/dev/null || true
echo ---
systemctl show --timestamp=us+utc --property=Id,MainPID,NRestarts,ActiveState,ActiveExitTimestamp,ExecMainStatus \\
    {" ".join(UNITS)}
"""
INSPECT = """\
words='{{.status.id}} {{.info.pid}} {{.status.startedAt}} {{.status.finishedAt}} {{.status.exitCode}} {{.status.state}}'
for id in "$@"; do
    line=$(crictl inspect --output go-template --template "$words" "$id") || continue
    echo "$line"
    case $line in *EXITED) crictl logs --tail 5 "$id" 2>&1 | sed 's/^/> /' ;; esac
done
"""
"""A line for each container, followed by the last words of one that exited, each after ``> ``."""


class _Name(msgspec.Struct, frozen=True):
    name: str
    attempt: int = 0


class _Listed(msgspec.Struct, frozen=True):
    id: str
    metadata: _Name
    state: str


class _Containers(msgspec.Struct, frozen=True):
    containers: tuple[_Listed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a control-plane component; ``attempt`` counts its restarts in this pod."""

    id: str
    component: str
    attempt: int
    runs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A service; ``exited_ns`` is the wall clock of its host when it last ended, 0 when it never did."""

    name: str
    pid: int
    restarts: int
    active: bool
    exited_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at one host. ``aside``: components whose manifests are laid aside."""

    containers: tuple[Container, ...]
    units: tuple[Unit, ...]
    aside: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What the runtime says of one container; times are the host's wall clock in ns, 0 for not yet."""

    id: str
    pid: int
    started_ns: int
    finished_ns: int
    exit_code: int
    last_lines: tuple[str, ...] = ()


def parse_look(text: str) -> Look:
    """What :data:`LOOK` printed. Raises ``ValueError``."""
    listed, aside, units = text.split("---\n")
    containers = msgspec.json.decode(listed, type=_Containers).containers
    return Look(
        containers=tuple(
            Container(id=one.id, component=one.metadata.name, attempt=one.metadata.attempt,
                      runs=one.state == "CONTAINER_RUNNING")
            for one in containers
            if one.metadata.name in paths.STATIC_PODS
        ),
        units=tuple(_unit(block) for block in units.strip().split("\n\n") if block),
        aside=frozenset(name.removesuffix(".yaml") for name in aside.split()),
    )  # fmt: skip


def parse_inspected(text: str) -> list[Inspected]:
    """What :data:`INSPECT` printed. Raises ``ValueError``."""
    found: list[Inspected] = []
    for line in text.splitlines():
        if line.startswith("> ") and found:
            found[-1] = replace(found[-1], last_lines=(*found[-1].last_lines, line[2:]))
        elif line.count(" ") == 5:
            found.append(_inspected(line.split(" ")))
    return found


def _inspected(words: Iterable[str]) -> Inspected:
    identity, pid, started, finished, code, _ = words
    return Inspected(
        id=identity, pid=int(pid) if pid.isdigit() else 0, started_ns=_ns(started), finished_ns=_ns(finished),
        exit_code=int(code) if code.lstrip("-").isdigit() else 0,
    )  # fmt: skip


def _ns(stamp: str) -> int:
    """RFC 3339 to ns since 1970; the year 1 and 1970 are the runtime's words for never."""
    seconds, _, rest = stamp.removesuffix("Z").partition(".")
    if not seconds[:4].isdigit() or int(seconds[:4]) < 1971:
        return 0
    fraction = rest.partition("+")[0]
    whole = int(datetime.fromisoformat(f"{seconds}+00:00").timestamp())
    return whole * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0)


def _unit(block: str) -> Unit:
    values = dict(line.partition("=")[::2] for line in block.splitlines())
    return Unit(
        name=values.get("Id", "").removesuffix(".service"),
        pid=int(values.get("MainPID") or 0),
        restarts=int(values.get("NRestarts") or 0),
        active=values.get("ActiveState") == "active",
        exited_ns=_systemd_ns(values.get("ActiveExitTimestamp", "")),
    )


def _systemd_ns(stamp: str) -> int:
    """``Sat 2026-11-28 09:12:33.123456 UTC`` to ns since 1970; nothing is 0."""
    words = stamp.split()
    return _ns(f"{words[1]}T{words[2]}Z") if len(words) == 4 and words[3] == "UTC" else 0
