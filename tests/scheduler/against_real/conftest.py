"""Makes oracle, cases and the reference program importable, and keeps one reference program running."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from against_real.build import reference_scheduler
from against_real.reference import Reference


@pytest.fixture(scope="session")
def reference() -> Iterator[Reference]:
    """kube-scheduler's framework as a process; built first when it is not there."""
    with Reference(reference_scheduler()) as running:
        yield running
