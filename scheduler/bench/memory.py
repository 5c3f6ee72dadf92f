"""The arena in memory: our API server as a process on loopback, started anew for every round."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from idcbench.errors import ClusterError
from idcbench.kube.access import Access

SOURCES = Path(__file__).parent / "fakeapi"
EMPTY = "empty"
START_LIMIT_S = 60.0
STOP_LIMIT_S = 60.0
PROCESS = "in-memory API server"


@dataclass(slots=True)
class MemoryArena:
    """``program`` is the built fakeapi, ``folder`` where its states, its audit log and a kubeconfig go, ``log`` what it
    says."""

    program: Path
    folder: Path
    log: Path
    encoding: Literal["protobuf", "json"] = "json"
    _process: asyncio.subprocess.Process | None = None
    _server: str = ""

    @property
    def label(self) -> str:
        return "in-memory API server (not Kubernetes' own; JSON)"

    @property
    def access(self) -> Access:
        return Access(server=self._server, kubeconfig=self.scheduler_kubeconfig)

    @property
    def scheduler_kubeconfig(self) -> Path:
        return self.folder / "memory.conf"

    @property
    def audit_log(self) -> Path:
        return self.folder / "audit.log"

    def command(self, argv: Sequence[str]) -> list[str]:
        return list(argv)

    def servers(self) -> Mapping[str, int]:
        return {PROCESS: self._process.pid} if self._process else {}

    def kept(self) -> frozenset[str]:
        return frozenset(path.stem for path in self.folder.glob("*.state")) | {EMPTY}

    async def keep(self, state: str) -> None:
        await self.stop()
        self._unsaved.rename(self._file(state))

    async def restore(self, state: str) -> None:
        """Raises :class:`ClusterError` when there is no such state, or the server does not start."""
        if state not in self.kept():
            raise ClusterError(f"no state {state!r} is kept; there are {', '.join(sorted(self.kept()))}")
        await self.stop()
        self.audit_log.unlink(missing_ok=True)
        from_state = [] if state == EMPTY else ["-state", str(self._file(state))]
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(str(self.program), "-audit", str(self.audit_log), "-save", str(self._unsaved), *from_state),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        self._server = f"http://{await self._address()}"
        self.scheduler_kubeconfig.write_text(_kubeconfig(self._server))

    async def discard(self, state: str) -> None:
        self._file(state).unlink(missing_ok=True)

    async def stop(self) -> None:
        """End the server; what it held can be kept until it is started again."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_LIMIT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._process = None

    async def _address(self) -> str:
        """Where it serves, as it says when it is ready."""
        process = self._process
        if process is None or process.stdout is None:
            raise RuntimeError("the server was not started")
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_LIMIT_S)
        except TimeoutError:
            line = b""
        if not line:
            raise ClusterError(f"the in-memory API server did not start; see {self.log}")
        return line.decode().strip()

    @property
    def _unsaved(self) -> Path:
        return self.folder / "unsaved"

    def _file(self, state: str) -> Path:
        return self.folder / f"{state}.state"


@contextlib.asynccontextmanager
async def memory_arena(program: Path, *, folder: Path, log: Path) -> AsyncIterator[MemoryArena]:
    """The arena in a new folder below ``folder``; its server is ended and the folder removed with the context."""
    with tempfile.TemporaryDirectory(prefix="memory-", dir=folder) as inner:
        arena = MemoryArena(program, Path(inner), log)
        try:
            yield arena
        finally:
            await arena.stop()


def _kubeconfig(server: str) -> str:
    """Without credentials: the server asks for none, and listens on loopback alone."""
    name = "memory"
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": server}}],
            "users": [{"name": name, "user": {}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        },
        indent=1,
    )
