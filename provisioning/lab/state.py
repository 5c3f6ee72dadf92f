"""Where a lab's files lie, and what is recorded of it before anything is made."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .failure import LabError
from .spec import LabSpec


class LabRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Written before the first container exists. ``subnet`` is a /24; ``image`` the tag that new hosts are made of."""

    spec: LabSpec
    subnet: str
    image: str


def state_home() -> Path:
    """``$XDG_STATE_HOME/idcbench``."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "idcbench"


@dataclass(frozen=True, slots=True)
class LabFiles:
    """``root`` and the names in it."""

    root: Path

    @classmethod
    def of(cls, name: str) -> LabFiles:
        return cls(state_home() / "labs" / name)

    @property
    def record(self) -> Path:
        return self.root / "lab.json"

    @property
    def inventory(self) -> Path:
        return self.root / "inventory.yaml"

    @property
    def key(self) -> Path:
        return self.root / "lab_key"

    @property
    def known_hosts(self) -> Path:
        return self.root / "known_hosts"

    @property
    def lock(self) -> Path:
        """Beside the folder, so that it outlives its removal."""
        return self.root.with_name(self.root.name + ".lock")

    def read(self) -> LabRecord | None:
        """The record, or ``None``. Raises :class:`LabError` for one that cannot be read."""
        try:
            return msgspec.json.decode(self.record.read_bytes(), type=LabRecord)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            raise LabError(f"{self.record}: {error}; remove the lab with `idcbench lab down`") from None

    def write(self, path: Path, content: bytes, *, mode: int = 0o644) -> None:
        """Replace a file in one step, when it differs."""
        if path.exists() and path.read_bytes() == content:
            return
        fresh = path.with_name(path.name + ".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        fresh.rename(path)
