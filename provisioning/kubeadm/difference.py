"""What is missing on a host: what it is to have, less what it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..artifacts.bundle_schema import BundleEntry
from ..facts.facts import Facts
from .wanted import SYSCTLS, Wanted, WantedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What has to be done on one host before it can be, or stay, a member; empty when nothing has."""

    host: str
    files: tuple[WantedFile, ...] = ()
    packages: tuple[BundleEntry, ...] = ()
    binaries: tuple[BundleEntry, ...] = ()
    images: tuple[BundleEntry, ...] = ()
    start: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    static_pods: WantedFile | None = None
    swap: bool = False
    settings: bool = False
    rest: bool = False
    wake: bool = False

    @property
    def words(self) -> Iterator[str]:
        """What will be done, a line each."""
        if self.packages:
            yield f"install {_some([entry.name for entry in self.packages], 'packages')}"
        if self.binaries:
            yield f"put {_some([entry.name for entry in self.binaries], 'programs')} in place"
        for file in self.files:
            yield f"write {file.path}"
        if self.settings:
            yield "set kernel parameters and load modules"
        if self.swap:
            yield "switch swap off, and keep it off"
        if self.images:
            yield f"import {_some([entry.name.rpartition('/')[2] for entry in self.images], 'images')}"
        if self.static_pods:
            yield "make the static pods anew, by changed settings"
        if self.rest:
            yield "lay kube-scheduler aside"
        if self.wake:
            yield "let kube-scheduler serve again"
        for unit in self.restart:
            yield f"restart {unit}"
        for unit in self.start:
            yield f"enable and start {unit}"

    def __bool__(self) -> bool:
        return any(self.words)


def difference(host: str, want: Wanted, facts: Facts) -> Work:
    """Compare; asks nothing of the host."""
    schedules, rests = "kube-scheduler" in facts.all("manifest"), "kube-scheduler" in facts.all("resting")
    files = tuple(file for file in want.files if not _is_there(file, facts))
    restarts = {file.service for file in files}
    running = {name for name, unit in facts.units.items() if unit.active == "active"}
    down = tuple(name for name in want.services if not _is_up(name, facts))
    settings = {"sysctl", "modules"} & restarts or any(facts.sysctls.get(k) != v for k, v in _checked(facts).items())
    return Work(
        host=host,
        files=files,
        packages=tuple(entry for entry in want.packages if entry.name not in facts.packages),
        binaries=tuple(entry for entry in want.binaries if not _has_program(entry, facts)),
        images=tuple(entry for entry in want.images if facts.images.get(entry.name) != f"sha256:{entry.sha256}"),
        start=down,
        restart=tuple(name for name in want.services if name in restarts and name in running and name not in down),
        static_pods=want.static_pods if _follows_others(want, facts) else None,
        swap=bool(facts.one("swap")) and not facts.restricted,
        settings=bool(settings),
        rest=want.kube_scheduler_rests and schedules,
        wake=not want.kube_scheduler_rests and rests,
    )


def _follows_others(want: Wanted, facts: Facts) -> bool:
    """Whether the host's static pods were made by other settings; one that is no member yet gets them as it joins."""
    return facts.is_member and want.static_pods is not None and not _is_there(want.static_pods, facts)


def _checked(facts: Facts) -> dict[str, str]:
    """The kernel parameters that the host has at all; inotify's may be higher than wanted."""
    return {key: value for key, value in SYSCTLS.items() if key in facts.sysctls and not key.startswith("fs.")}


def _is_there(file: WantedFile, facts: Facts) -> bool:
    found = facts.files.get(file.path)
    return found is not None and (found.sha256, found.mode) == (file.sha256, file.mode)


def _is_up(name: str, facts: Facts) -> bool:
    """kubelet is only enabled until kubeadm has given it its configuration."""
    unit = facts.units.get(name)
    if unit is None:
        return False
    return unit.enabled == "enabled" and (unit.active == "active" or (name == "kubelet" and not facts.is_member))


def _has_program(entry: BundleEntry, facts: Facts) -> bool:
    return facts.pairs("installed").get(entry.path) == entry.sha256


def _some(names: list[str], what: str) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{len(names)} {what} ({', '.join(names[:3])}, …)"
