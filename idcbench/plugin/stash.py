"""What the parts of the plugin find in ``config.stash``."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ..options import Settings
from ..progress import Progress


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, and who is told of progress."""

    settings: Settings
    progress: Progress


ASKED = pytest.StashKey[Asked]()
