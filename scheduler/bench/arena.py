"""Where schedulers are measured: an API server that can be put back to a state, and processes beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from idcbench.kube.access import Access


class Arena(Protocol):
    """An API server with its storage. While a scheduler is measured nothing else talks to it."""

    @property
    def label(self) -> str:
        """What serves here, for every table: ``kube-apiserver 1.37.2, etcd 3.7.3`` or ``in-memory API server``."""
        ...

    @property
    def encoding(self) -> Literal["protobuf", "json"]:
        """The best that a client may speak here."""
        ...

    @property
    def access(self) -> Access: ...

    @property
    def scheduler_kubeconfig(self) -> Path:
        """For a scheduler that runs as :meth:`command` says."""
        ...

    @property
    def audit_log(self) -> Path:
        """Of the present round alone: :meth:`restore` begins it anew."""
        ...

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs ``argv`` where the API server can be reached, in the process that is started."""
        ...

    def servers(self) -> Mapping[str, int]:
        """Process ids, as seen from here, of what serves."""
        ...

    async def keep(self, state: str) -> None:
        """Keep what is stored now under a name; the API server is stopped afterwards."""
        ...

    async def restore(self, state: str) -> None:
        """Start anew from a copy of a kept state, ``empty`` among them; returns when the API server is ready."""
        ...

    async def stop(self) -> None:
        """End what serves, so that nothing of it runs while another arena is measured; kept states stay."""
        ...

    def kept(self) -> frozenset[str]:
        """The names of the kept states."""
        ...

    async def discard(self, state: str) -> None:
        """Delete a kept state, if there is one."""
        ...
