"""The state directory of an embedded cluster: where everything lies, who works on it, and whether it lives."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ...cluster import ClusterSpec
from ...errors import ClusterError


class Milestones(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from the start of a cluster to: a write acknowledged by the endpoint; all members ready and leaders
    elected; everything there, simulated nodes too."""

    first_write_s: float
    members_s: float
    ready_s: float


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What was made: written before the supervisor starts, so that whoever finds the directory knows.

    ``binaries`` is the folder of the programs that the cluster runs.
    """

    spec: ClusterSpec
    kept: bool
    binaries: str
    kubernetes: str
    etcd: str
    provenance: str
    versions: dict[str, str] = {}
    digests: dict[str, str] = {}
    relay_port: int = 0
    supervisor: int = 0
    milestones: Milestones | None = None


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """``root`` and the names in it."""

    root: Path

    @classmethod
    def of(cls, target_id: str) -> StateDirectory:
        """``$XDG_STATE_HOME/idcbench/TARGET-ID``: the same cluster from whatever folder one calls."""
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
        return cls(base / "idcbench" / target_id)

    @property
    def record_file(self) -> Path:
        return self.root / "cluster.json"

    @property
    def plan_file(self) -> Path:
        return self.root / "plan.json"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def pki(self) -> Path:
        """The administrator's files: ``ca.crt``, ``admin.crt``, ``admin.key``."""
        return self.root / "pki"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def timeline(self) -> Path:
        return self.root / "timeline.jsonl"

    @property
    def control(self) -> Path:
        return self.root / "control.sock"

    @property
    def gateway(self) -> Path:
        return self.root / "gateway.sock"

    @property
    def alive_file(self) -> Path:
        return self.root / "alive"

    @property
    def owner_file(self) -> Path:
        """There in a cluster that lives only as long as the process that made it, which holds a lock on it."""
        return self.root / "owner"

    @property
    def lock_file(self) -> Path:
        """Beside the directory, so that it outlives its removal."""
        return self.root.with_name(self.root.name + ".lock")

    def host(self, name: str) -> Path:
        return self.root / "hosts" / name

    def is_alive(self) -> bool:
        """Whether the supervisor lives: it holds a lock on ``alive`` that the kernel frees with it."""
        return _is_locked(self.alive_file)

    def is_abandoned(self) -> bool:
        """Whether whoever the cluster was to live with has died."""
        return self.owner_file.exists() and not _is_locked(self.owner_file)

    def read_record(self) -> Record | None:
        """The record, or ``None`` when there is no cluster.

        Raises :class:`ClusterError` for one that another version of idcbench wrote.
        """
        try:
            return msgspec.json.decode(self.record_file.read_bytes(), type=Record)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            raise ClusterError(
                f"{self.record_file}: {error}; another version of idcbench wrote it: "
                "use that one, or remove the cluster with `idcbench down`"
            ) from None

    def write_record(self, record: Record) -> None:
        """Replace the record in one step."""
        fresh = self.record_file.with_suffix(".new")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1))
        fresh.replace(self.record_file)

    def create(self) -> None:
        """Make the directory, private. Raises :class:`ClusterError` when that is not possible."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.logs.mkdir(exist_ok=True)
        except OSError as error:
            raise ClusterError(
                f"state directory {self.root}: {error.strerror}; set XDG_STATE_HOME to a folder that can be written"
            ) from None

    def remove(self) -> None:
        """Delete everything of a cluster that does not live."""
        shutil.rmtree(self.root, ignore_errors=False) if self.root.exists() else None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one to change this cluster. Raises :class:`ClusterError` that names who is at work on it."""
        descriptor = self._lock()
        try:
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"pid {os.getpid()} since {time.strftime('%H:%M:%S')}\n".encode(), 0)
            yield
        finally:
            if not self.root.exists():
                self.lock_file.unlink(missing_ok=True)
            os.close(descriptor)

    def _lock(self) -> int:
        """The descriptor of the lock file, locked. A holder may remove the file at its end: then the next is taken."""
        while True:
            try:
                self.lock_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise ClusterError(
                    f"{self.lock_file}: {error.strerror}; set XDG_STATE_HOME to a folder that can be written"
                ) from None
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
                os.close(descriptor)
                raise ClusterError(
                    f"cluster {self.root.name} is being worked on by {holder or 'another idcbench'}; "
                    "wait for it, or choose another cluster with --name"
                ) from None
            if self.lock_file.exists() and os.fstat(descriptor).st_ino == self.lock_file.stat().st_ino:
                return descriptor
            os.close(descriptor)


def _is_locked(path: Path) -> bool:
    """Whether another open file description holds a lock on the file; not when there is none."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
