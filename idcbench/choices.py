"""What a cluster may be of, wherever it is asked for: on a command line, in an ini file, in an inventory."""

from __future__ import annotations

import re
from typing import Literal

Profile = Literal["fast", "default", "slow-disk"]
PROFILES: tuple[Profile, ...] = ("fast", "default", "slow-disk")
LATEST_PATCH = {"1.34": 4, "1.35": 4, "1.36": 3, "1.37": 2}
"""The newest patch of each minor version that `go list -m -versions k8s.io/kubernetes` named on 2026-11-24."""


def version(value: str) -> str:
    """A Kubernetes version, ``1.37`` or ``1.37.2``, with or without ``v``. Raises ``ValueError``."""
    if not re.fullmatch(r"v?\d+\.\d+(\.\d+)?", value):
        raise ValueError(f"a version such as 1.37 or 1.37.2 is wanted, found {value!r}")
    return value.removeprefix("v")
