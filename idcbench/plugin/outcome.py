"""The exit code of a session with a target."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Code(IntEnum):
    """What the process tells its caller; 0 to 5 mean what they mean in pytest."""

    PASSED = 0
    FAILED = 1
    INTERRUPTED = 2
    BUG = 3
    USAGE = 4
    NOTHING = 5
    """Nothing ran, or all was skipped."""
    NO_CLUSTER = 6
    INVALID = 7
    """The tests passed, but the figures of the run may not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a session ended. ``refused`` is the exit code of the error for which there was no cluster, 0 without one."""

    pytest_code: int
    interrupted: bool = False
    refused: int = 0
    valid: bool = True
    ran: bool = True
    """Whether a test of the run was more than skipped."""

    def code(self) -> int:
        """The first that holds: interrupted, bug or usage error, no cluster, failed, invalid, nothing ran, passed."""
        if self.interrupted:
            return Code.INTERRUPTED
        if self.pytest_code in (Code.BUG, Code.USAGE):
            return self.pytest_code
        if self.refused:
            return self.refused
        if self.pytest_code != Code.PASSED:
            return self.pytest_code
        if not self.valid:
            return Code.INVALID
        return Code.PASSED if self.ran else Code.NOTHING
