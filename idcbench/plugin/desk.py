"""Where xdist's workers ask the controller for the cluster: one Unix socket, one question, one answer.

The cluster belongs to the controller, so that no worker's death can end it. The first worker that needs it makes the
controller bring it up; each worker then joins it by itself.
"""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from pathlib import Path

from ..cluster import Target
from ..errors import ClusterError, IdcError
from ..options import Settings
from ..runs.directory import Run
from .keeper import Keeper
from .owner import Owner, Provided
from .portal import Portal


class Desk:
    """The controller's side."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._folder = tempfile.TemporaryDirectory(prefix="idcbench-")
        self.path = Path(self._folder.name) / "desk"
        self._server: asyncio.Server | None = None

    def open(self) -> None:
        """Answer workers from now on; the folder of the socket is the user's alone."""
        self._owner.portal.call(self._listen())

    def close(self) -> None:
        if self._server is not None:
            self._owner.portal.call(self._stop(self._server))
            self._server = None
        self._folder.cleanup()

    async def _listen(self) -> None:
        self._server = await asyncio.start_unix_server(self._answer, self.path)

    @staticmethod
    async def _stop(server: asyncio.Server) -> None:
        server.close()

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            provided = await self._owner.provided()
            answer = {"run": str(provided.run.path)}
        except IdcError as error:
            answer = {"error": str(error)}
        except Exception as error:
            answer = {"error": f"a bug: {error!r}"}
            raise
        finally:
            writer.write(json.dumps(answer).encode())
            writer.close()


class Guest:
    """A worker's side: joins the cluster that the controller owns, and never takes it down."""

    def __init__(self, desk: Path, target: Target, settings: Settings, *, portal: Portal) -> None:
        self._desk = desk
        self._portal = portal
        self._keeper = Keeper(target, settings.spec(), keep=True)
        self._provided: Provided | None = None

    def provide(self) -> Provided:
        """The cluster and the run. Raises :class:`ClusterError` when the controller has none to give."""
        if self._provided is None:
            run = Run(ask(self._desk))
            self._provided = Provided(self._portal.call(self._keeper.opened()), run)
        return self._provided

    def close(self) -> None:
        self._portal.call(self._keeper.close(), timeout_s=5.0)


def ask(desk: Path) -> Path:
    """The run directory, once the cluster is ready; waits as long as that takes. Raises :class:`ClusterError`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(desk))
            said = b"".join(iter(lambda: client.recv(65536), b""))
        except OSError as error:
            raise ClusterError(f"the controller does not answer at {desk}: {error.strerror}") from error
    answer = json.loads(said or b'{"error": "the controller went away while it brought the cluster up"}')
    if "error" in answer:
        raise ClusterError(answer["error"])
    return Path(answer["run"])
