"""What a lab says when it cannot go on."""

from __future__ import annotations

from ...errors import ClusterError


class LabError(ClusterError):
    """A lab could not be made, or is not as asked for; the text says what to do."""
