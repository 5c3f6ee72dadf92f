"""Makes the fake API server importable, here and (by the same line in their conftest) in other rooms."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_api import FakeApi


@pytest.fixture
def api(tmp_path: Path) -> Iterator[FakeApi]:
    with FakeApi(folder=tmp_path) as fake:
        yield fake


@pytest.fixture
def three(tmp_path: Path) -> Iterator[FakeApi]:
    with FakeApi(members=3, folder=tmp_path) as fake:
        yield fake
