"""What is raised when power cannot be switched."""

from __future__ import annotations

from ...hosts.failure import HostError


class PowerError(HostError):
    """The power of a host could not be switched, or is not as it was to be."""
