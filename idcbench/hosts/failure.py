"""What is said when a host cannot be used."""

from __future__ import annotations

from ..errors import ClusterError


class HostError(ClusterError):
    """A host cannot be reached, or does not let us do what must be done; ``host`` is its name."""

    def __init__(self, host: str, message: str) -> None:
        super().__init__(f"host {host}: {message}")
        self.host = host


class TooLateError(HostError, TimeoutError):
    """A command did not end in its time; it is dead, or its host cannot be asked."""


class NotStartedError(HostError):
    """A command could not even be given: the connection had ended, as that of a host does that was off meanwhile."""
