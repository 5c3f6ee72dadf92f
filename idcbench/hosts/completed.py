"""What a command on a host came to."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import IdcError


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended: where, what, and what it left. Output is text, undecodable bytes replaced."""

    host: str
    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    def check(self) -> Completed:
        """Self when the exit code is 0; otherwise raises :class:`CommandError` with the last line of stderr."""
        if self.exit_code:
            raise CommandError(self)
        return self


def named(argv: tuple[str, ...]) -> str:
    """What a command is called: a shell's script by the name that it is given as its ``$0``, others in full."""
    return argv[3] if argv[:2] == ("sh", "-c") and len(argv) > 3 else " ".join(argv)


class CommandError(IdcError):
    """A command on a host ended with another code than 0."""

    def __init__(self, completed: Completed) -> None:
        said = (completed.stderr or completed.stdout).strip().splitlines()
        super().__init__(
            f"host {completed.host}: `{named(completed.argv)}` ended with {completed.exit_code}"
            f": {said[-1] if said else 'no output'}"
        )
        self.completed = completed
