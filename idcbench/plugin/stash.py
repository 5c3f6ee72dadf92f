"""What the parts of the plugin find in ``config.stash``."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ..options import Settings
from ..progress import Progress
from ..runs.handover import Round


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, who is told of progress, and which round of a longer run this session is, if one."""

    settings: Settings
    progress: Progress
    round: Round | None = None


ASKED = pytest.StashKey[Asked]()
