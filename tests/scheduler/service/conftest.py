"""Makes the fake API server and this folder's helpers importable."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "kube"))

from scheduler_api import SchedulerApi


@pytest.fixture
def api(tmp_path: Path) -> Iterator[SchedulerApi]:
    with SchedulerApi(folder=tmp_path) as fake:
        yield fake


@pytest.fixture
def three(tmp_path: Path) -> Iterator[SchedulerApi]:
    with SchedulerApi(members=3, folder=tmp_path) as fake:
        yield fake
