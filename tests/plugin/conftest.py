"""What the tests of the plugin share: a directory with the fake target, and what a session left there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import idcbench.plugin.live
import idcbench.plugin.session  # noqa: F401 - brings numpy, which an inner pytest cannot import anew

QUIET = ("-p", "no:asyncio", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")
FAKE = Path(__file__).with_name("fake_target.py").read_text()


class Lab:
    """A project directory whose conftest.py provides the target ``fake``."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        pytester.makeconftest(FAKE)

    def test(self, source: str) -> None:
        self.pytester.makepyfile(test_it=source)

    def run(self, *args: str) -> pytest.RunResult:
        """pytest in this process."""
        return self.pytester.runpytest_inprocess(*QUIET, *args)

    def spawn(self, *args: str) -> pytest.RunResult:
        """pytest in a process of its own."""
        return self.pytester.runpytest_subprocess(*QUIET, *args)

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / ".idcbench/fake/latest/run.json").read_text())
        return found

    def log(self) -> list[str]:
        return (self.path / "log").read_text().splitlines()


@pytest.fixture
def lab(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Lab(pytester)
