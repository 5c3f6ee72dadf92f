"""A secret that an inventory points at and does not hold: in a file of its own, or in the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import UsageError


@dataclass(frozen=True, slots=True)
class Secret:
    """Where it is: the path of a file, or the name of an environment variable. Never shown with its value."""

    kind: Literal["file", "env"]
    place: str

    def reveal(self) -> str:
        """The secret without the end of its line. Raises :class:`UsageError` when it is not there or empty."""
        found = self._from_file() if self.kind == "file" else os.environ.get(self.place, "")
        if not found:
            raise UsageError(f"the secret {self} is not set or empty; set it, or name another place in the inventory")
        return found

    def _from_file(self) -> str:
        path = Path(self.place)
        try:
            if path.stat().st_mode & 0o077:
                raise UsageError(f"{path}: others may read this secret; `chmod 600 {path}`")
            return path.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not text in UTF-8"
            raise UsageError(f"{path}: the secret cannot be read: {why}") from None

    def __str__(self) -> str:
        return f"{self.kind}:{self.place}"
