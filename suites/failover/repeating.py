"""Each drill is a test of its own per repetition, so that one that fails does not hide the others."""

from __future__ import annotations

import pytest

from idcbench.options import OPTIONS
from idcbench.plugin.stash import ASKED

REPEAT = next(option for option in OPTIONS if option.name == "repeat")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise ``repetition`` from 1 to ``--idc-repeat``. A test module takes part by importing this name.

    In a round of a longer run the count goes on from the rounds before, so that each repetition has records of its own.
    """
    if "repetition" in metafunc.fixturenames:
        repeat = _repeat(metafunc.config)
        asked = metafunc.config.stash.get(ASKED, None)
        before = repeat * (asked.round.number - 1) if asked and asked.round else 0
        metafunc.parametrize("repetition", range(before + 1, before + repeat + 1))


def _repeat(config: pytest.Config) -> int:
    given = config.getoption(REPEAT.pytest_dest, default=None)
    if not given and REPEAT.ini:
        given = config.getini(REPEAT.pytest_dest)
    return int(given or REPEAT.default)
