"""The `go` command: found, and judged whether it will do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .failure import WayFailedError

LEAST = (1, 21)
"""The first Go that fetches the toolchain which a module asks for (https://go.dev/doc/toolchain)."""

_ELSEWHERE = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go", "/usr/lib/golang/bin/go")
_VERSION = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """A Go that is there. ``toolchain`` is its GOTOOLCHAIN setting, ``cache`` where it keeps compiled packages."""

    path: Path
    version: str
    toolchain: str
    cache: Path

    def check(self, needed: str) -> None:
        """Raise :class:`~.failure.WayFailedError` when it neither is nor may fetch Go ``needed`` (``1.26.0``)."""
        if _numbers(self.version) >= _numbers(f"go{needed}"):
            return
        if _numbers(self.version) < LEAST:
            raise WayFailedError(f"{self.path} is {self.version}, Go {needed} is needed", remedy=_how_to_get_one())
        if self.toolchain not in ("auto", "path") and "+" not in self.toolchain:
            raise WayFailedError(
                f"{self.path} is {self.version}, Go {needed} is needed, and GOTOOLCHAIN={self.toolchain} forbids "
                "to fetch it",
                remedy="put GOTOOLCHAIN=auto before the command, and Go fetches its own toolchain",
            )


def find_go() -> Go:
    """The Go on PATH or at its usual places. Raises WayFailedError with the line that installs one."""
    path = shutil.which("go") or next((place for place in _ELSEWHERE if os.access(place, os.X_OK)), None)
    if path is None:
        raise WayFailedError("there is no `go` on PATH", remedy=_how_to_get_one())
    argv = [path, "env", "-json", "GOVERSION", "GOTOOLCHAIN", "GOCACHE"]
    try:
        said = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True, cwd="/", env=environment())
        settings = msgspec.json.decode(said.stdout, type=dict[str, str])
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError) as error:
        raise WayFailedError(f"`{' '.join(argv)}` does not answer: {error}", remedy=_how_to_get_one()) from error
    return Go(
        path=Path(path),
        version=settings.get("GOVERSION", "unknown"),
        toolchain=settings.get("GOTOOLCHAIN", ""),
        cache=Path(settings.get("GOCACHE", "") or Path.home() / ".cache/go-build"),
    )


def environment(**more: str) -> dict[str, str]:
    """The variables Go is run with: the user's own, but for those that would change what is built."""
    return os.environ | {"GO111MODULE": "on", "GOWORK": "off", "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"} | more


def _numbers(version: str) -> tuple[int, ...]:
    found = _VERSION.search(version)
    return tuple(int(number) for number in found.groups() if number is not None) if found else (0,)


def _how_to_get_one() -> str:
    """What to type on this distribution for a Go that is new enough."""
    return how_to_get_go(_os_release())


def how_to_get_go(os_release: dict[str, str]) -> str:
    """The line for a distribution, from its /etc/os-release."""
    family = {os_release.get("ID", ""), *os_release.get("ID_LIKE", "").split()}
    if os_release.get("VERSION_CODENAME") == "bookworm":  # its own golang-go is 1.19
        return (
            "type: echo 'deb http://deb.debian.org/debian bookworm-backports main' | sudo tee "
            "/etc/apt/sources.list.d/backports.list && sudo apt-get update && "
            "sudo apt-get install -y -t bookworm-backports golang-go"
        )
    if family & {"debian", "ubuntu"}:
        return "type: sudo apt-get update && sudo apt-get install -y golang-go"
    if family & {"rhel", "fedora", "centos"}:
        return "type: sudo dnf install -y golang"
    return "install Go 1.21 or newer: https://go.dev/doc/install"


def _os_release() -> dict[str, str]:
    try:
        text = Path("/etc/os-release").read_text()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value.strip("\"'") for name, sep, value in pairs if sep}
