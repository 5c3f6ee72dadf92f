"""Where xdist's workers reach the cluster, which belongs to the controller, so that no worker's death can end it.

One Unix socket in a folder that is the user's alone; a question and an answer per connection, both pickled, since both
ends are one program of one user. The first worker that asks makes the controller bring the cluster up.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cluster import Capability, Cluster, ClusterFacts
from ..errors import ClusterError, IdcError
from ..kube.access import Access
from .owner import Owner

FAULTS = frozenset(
    {"kill", "stop", "start", "restart", "freeze", "thaw", "link", "limit", "components", "happenings"}
    | {"freeze_host", "thaw_host", "stop_host", "start_host"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``open`` the cluster, ``run`` a command on a host, or a verb of :class:`~idcbench.cluster.Faults`."""

    what: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came out: a value, or the error that is to be raised."""

    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a worker needs to know of the cluster and the run."""

    run: Path
    facts: ClusterFacts
    access: Access
    hosts: tuple[tuple[str, str], ...]
    workers: tuple[tuple[str, str], ...]
    capabilities: frozenset[Capability]
    breakable: bool


class Desk:
    """The controller's side."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._folder = tempfile.TemporaryDirectory(prefix="idcbench-")
        self.path = Path(self._folder.name) / "desk"
        self._server: asyncio.Server | None = None

    def open(self) -> None:
        """Answer from now on."""
        self._owner.portal.call(self._listen())

    def close(self) -> None:
        """Answer no more, and leave nothing."""
        if self._server is not None:
            self._owner.portal.call(self._stop(self._server))
            self._server = None
        self._folder.cleanup()

    async def _listen(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    @staticmethod
    async def _stop(server: asyncio.Server) -> None:
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # a worker that died
            try:
                question: Question = pickle.loads(await reader.read())
                answer = Answer(value=await self._act(question))
            except Exception as error:  # noqa: BLE001 - raised again at the other end
                answer = Answer(error=error)
            writer.write(_pickled(answer))
            await writer.drain()
        writer.close()

    async def _act(self, question: Question) -> Any:
        provided = await self._owner.provided()
        cluster = provided.cluster
        if question.what == "open":
            return _opened(cluster, provided.run.path)
        if question.what == "run":
            host, *argv = question.args
            found = next(each for each in (*cluster.hosts, *cluster.workers) if each.name == host)
            return await found.run(*argv, **question.options)
        if question.what not in FAULTS or cluster.faults is None:
            raise ClusterError(f"{question.what}: the cluster cannot do that")
        return await getattr(cluster.faults, question.what)(*question.args, **question.options)


async def ask(desk: Path, what: str, *args: Any, **options: Any) -> Any:
    """Ask, and wait as long as it takes. Raises what the controller's cluster raises, :class:`ClusterError` without."""
    try:
        reader, writer = await asyncio.open_unix_connection(desk)
    except OSError as error:
        raise ClusterError(f"the controller does not answer at {desk}: {error.strerror}") from error
    try:
        writer.write(pickle.dumps(Question(what=what, args=args, options=options)))
        writer.write_eof()
        said = await reader.read()
    finally:
        writer.close()
    if not said:
        raise ClusterError("the controller went away before it answered")
    answer: Answer = pickle.loads(said)
    if answer.error is not None:
        raise answer.error
    return answer.value


def _opened(cluster: Cluster, run: Path) -> Opened:
    return Opened(
        run=run,
        facts=cluster.facts,
        access=cluster.access,
        hosts=tuple((host.name, host.address) for host in cluster.hosts),
        workers=tuple((host.name, host.address) for host in cluster.workers),
        capabilities=cluster.capabilities,
        breakable=cluster.faults is not None,
    )


def _pickled(answer: Answer) -> bytes:
    """The answer; an error that cannot be pickled, or not be made again, becomes its text."""
    try:
        pickled = pickle.dumps(answer)
        pickle.loads(pickled)
    except Exception:  # noqa: BLE001 - whatever a foreign class does then
        kind = type(answer.error).__name__
        text = str(answer.error) if isinstance(answer.error, IdcError) else f"{kind}: {answer.error}"
        return pickle.dumps(Answer(error=ClusterError(text)))
    return pickled
