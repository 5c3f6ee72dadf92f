"""Made-up runs, one of each state, written once."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from idcbench.reports.model import Report, report_of
from idcbench.runs.directory import Run


def load(name: str) -> ModuleType:
    """A module beside this file, which no package makes importable."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    return load("synthetic_run")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> dict[str, Run]:
    root = tmp_path_factory.mktemp("reports") / ".idcbench"
    states = ("passed", "failed", "invalid", "interrupted", "cut-off")
    return {state: synthetic.make_run(root, state=state, name=state) for state in states}


@pytest.fixture(scope="session")
def reports(runs: dict[str, Run]) -> dict[str, Report]:
    return {state: report_of(run) for state, run in runs.items()}


@pytest.fixture(scope="session")
def chromium() -> ModuleType:
    return load("chromium")
