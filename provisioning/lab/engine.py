"""The Docker engine: the one that answers, or one that is started here where it may."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import docker
from docker.errors import DockerException

from ...progress import Progress
from ..embedded.prerequisites import search_path
from .failure import LabError
from .state import state_home

SOCKET = "/var/run/docker.sock"
"""Where Docker's own programs look when DOCKER_HOST says nothing."""
CALL_LIMIT_S = 120
START_LIMIT_S = 60.0
INSTALL = "install Docker with `scripts/setup-system python3 docker` (on Debian: `sudo apt-get install docker.io`)"


def connect(progress: Progress) -> docker.DockerClient:
    """A client of the engine, which is started when none answers, we are root and it is here that it would run.

    Raises :class:`LabError`.
    """
    try:
        return _client()
    except DockerException as error:
        if "Permission denied" in str(error):
            raise LabError("the Docker engine's socket is not yours to use; join group docker, or use sudo") from None
        if os.environ.get("DOCKER_HOST"):
            raise LabError(f"no Docker engine answers at DOCKER_HOST ({os.environ['DOCKER_HOST']})") from None
    if shutil.which("dockerd", path=search_path()) is None:
        raise LabError(f"a lab needs a Docker engine and there is none; {INSTALL}")
    if os.geteuid() != 0:
        raise LabError("no Docker engine answers; start it with `sudo systemctl start docker`")
    progress("starting the Docker engine")
    return _started()


def _client() -> docker.DockerClient:
    """Knocks first: the library leaves a socket open whose connection is refused."""
    if not os.environ.get("DOCKER_HOST"):
        _knock()
    client = docker.from_env(timeout=CALL_LIMIT_S)
    try:
        client.ping()
    except BaseException:
        client.close()
        raise
    return client


def _knock() -> None:
    with socket.socket(socket.AF_UNIX) as knocking:
        try:
            knocking.connect(SOCKET)
        except OSError as error:
            raise DockerException(f"{SOCKET}: {error.strerror}") from error


def _started() -> docker.DockerClient:
    """Recorded beside its log; nothing here ever stops it: others may have begun to use it."""
    folder = state_home() / "docker"
    folder.mkdir(parents=True, exist_ok=True)
    if Path("/run/systemd/system").is_dir():
        subprocess.run(["systemctl", "start", "docker"], timeout=START_LIMIT_S, check=False)
        return _until_it_answers(None, folder / "dockerd.log")
    with (folder / "dockerd.log").open("ab") as log:
        (folder / "started-by-idcbench").write_text("starting\n")
        process = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
            env={**os.environ, "PATH": search_path()},
        )  # fmt: skip
    (folder / "started-by-idcbench").write_text(f"{process.pid}\n")
    client = _until_it_answers(process, folder / "dockerd.log")
    process.returncode = 0  # it outlives us on purpose
    return client


def _until_it_answers(process: subprocess.Popen[bytes] | None, log: Path) -> docker.DockerClient:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until and (process is None or process.poll() is None):
        try:
            return _client()
        except DockerException:
            time.sleep(0.1)
    last = log.read_text(errors="replace").splitlines()[-1:] if log.exists() else []
    raise LabError(f"the Docker engine did not start: {' '.join(last) or 'no word of it'}; see {log}")
