"""What a command in a container of a pod came to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Executed:
    """A command that ended; output is text, undecodable bytes replaced."""

    exit_code: int
    stdout: str
    stderr: str

    def check(self) -> Executed:
        """Self when the exit code is 0; raises ``RuntimeError`` with its last words otherwise."""
        if self.exit_code:
            said = (self.stderr or self.stdout).strip()
            raise RuntimeError(f"the command ended with {self.exit_code}: {said[-300:] or 'it said nothing'}")
        return self
