"""What the tests of the command line share: the command in a process of its own, in an empty directory."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PLUGIN_TESTS = Path(__file__).parent.parent / "plugin"


@dataclass(frozen=True, slots=True)
class Shell:
    """A directory, and ``idcbench`` started there."""

    path: Path
    plugin_tests: Path = PLUGIN_TESTS

    def idcbench(self, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "idcbench.cli.main", *args],
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": str(PLUGIN_TESTS), "COLUMNS": "120", **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)
