"""Which OCI runtime the hosts need, and setting up our own where the engine cannot grant a capability."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import docker

from . import oci_runtime
from .failure import LabError

NAME = "idcbench"
PROGRAM = Path("/usr/local/lib/idcbench/oci-runtime")
SETTINGS = Path("/etc/docker/daemon.json")
PID_FILES = (Path("/run/docker.pid"), Path("/var/run/docker.pid"))
RELOAD_LIMIT_S = 10.0


def runtime_of(client: docker.DockerClient, *, setup: bool) -> str | None:
    """The runtime to name for privileged containers; ``None`` for the engine's own.

    With ``setup`` and as root ours is installed: a program, an entry in the engine's settings, and a reload that stops
    nothing. Raises :class:`LabError` with the lines to type otherwise.
    """
    lacking = sorted(oci_runtime.here(_engine_pid() or "self"))
    if not lacking:
        return None
    if NAME in client.info()["Runtimes"]:
        return NAME
    if not (setup and os.geteuid() == 0):
        raise LabError(lines_to_type(lacking))
    install()
    _reload(client)
    return NAME


def lines_to_type(lacking: list[str]) -> str:
    return (
        f"the Docker engine cannot grant {', '.join(lacking)} to privileged containers; a runtime that leaves it out "
        "is wanted: call again as root with --setup-runtime, or type\n"
        f"  sudo install -D -m 755 {oci_runtime.__file__} {PROGRAM}\n"
        f'  put {{"runtimes": {{"{NAME}": {{"path": "{PROGRAM}"}}}}}} into {SETTINGS}\n'
        "  sudo kill -HUP $(cat /run/docker.pid)"
    )


def install(*, program: Path = PROGRAM, settings: Path = SETTINGS) -> None:
    """Lay the program down and name it in the engine's settings; what else is set there stays."""
    program.parent.mkdir(parents=True, exist_ok=True)
    fresh = program.with_suffix(".new")
    shutil.copyfile(oci_runtime.__file__, fresh)
    fresh.chmod(0o755)
    fresh.rename(program)
    try:
        given = json.loads(settings.read_text()) if settings.exists() else {}
    except ValueError as error:
        raise LabError(f"{settings}: JSON is wanted; found: {error}") from None
    given.setdefault("runtimes", {})[NAME] = {"path": str(program)}
    settings.parent.mkdir(parents=True, exist_ok=True)
    fresh = settings.with_suffix(".json.new")
    fresh.write_text(json.dumps(given, indent=2) + "\n")
    fresh.rename(settings)


def _engine_pid() -> str | None:
    found = [path.read_text().strip() for path in PID_FILES if path.exists()]
    return found[0] if found and Path(f"/proc/{found[0]}").exists() else None


def _reload(client: docker.DockerClient) -> None:
    pid = _engine_pid()
    if pid is None:
        raise LabError(f"the Docker engine's process is not on this machine; restart it, so that it reads {SETTINGS}")
    os.kill(int(pid), signal.SIGHUP)
    until = time.monotonic() + RELOAD_LIMIT_S
    while NAME not in client.info()["Runtimes"]:
        if time.monotonic() > until:
            raise LabError(f"the Docker engine did not take over {SETTINGS}; see its log")
        time.sleep(0.1)
