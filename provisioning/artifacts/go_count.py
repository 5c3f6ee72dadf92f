"""What Go prints while it works, counted for the progress display."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...progress import Progress

_DOWNLOADING = "go: downloading "


def is_module(line: str) -> bool:
    """Whether Go says that it fetches a module."""
    return line.startswith(_DOWNLOADING)


def is_package(line: str) -> bool:
    """Whether Go names a package that it compiles (`go build -v`): an import path alone on its line."""
    return bool(line) and " " not in line and not line.startswith(("#", "\t"))


@dataclass(slots=True)
class Count:
    """Counts the different lines for which ``is_one`` holds, and shows how many there are.

    With a ``journal`` they are kept there, and those of an earlier, killed run count as well.
    """

    progress: Progress
    what: str
    unit: str
    is_one: Callable[[str], bool]
    total: int | None = None
    journal: Path | None = None
    _seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.journal is not None and self.journal.exists():
            self._seen.update(self.journal.read_text().splitlines())
        self.show()

    def line(self, line: str) -> None:
        """Take a line of Go's output."""
        if not self.is_one(line) or line in self._seen:
            return
        self._seen.add(line)
        if self.journal is not None:
            with self.journal.open("a") as journal:
                journal.write(f"{line}\n")
        self.show()

    def show(self) -> None:
        """Say how far it is."""
        done = len(self._seen) if self.total is None else min(len(self._seen), self.total)
        self.progress(self.what, done=done, total=self.total, unit=self.unit)
