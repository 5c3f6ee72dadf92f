"""Each drill is a test of its own per repetition, so that one that fails does not hide the others."""

from __future__ import annotations

import pytest

from idcbench.options import OPTIONS

REPEAT = next(option for option in OPTIONS if option.name == "repeat")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise ``repetition`` from 1 to ``--idc-repeat``. A test module takes part by importing this name."""
    if "repetition" in metafunc.fixturenames:
        metafunc.parametrize("repetition", range(1, _repeat(metafunc.config) + 1))


def _repeat(config: pytest.Config) -> int:
    given = config.getoption(REPEAT.pytest_dest, default=None)
    if not given and REPEAT.ini:
        given = config.getini(REPEAT.pytest_dest)
    return int(given or REPEAT.default)
