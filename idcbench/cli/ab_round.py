"""One round of ``idcbench run --ab``: ``python -m idcbench.cli.ab_round RUN NUMBER PYTEST-ARGUMENT…``.

A process of its own, so that each round begins alike. It ends in good order when its standard input is closed: when
the one who started it says so, or is no more.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from ..runs.handover import Round
from .live import LiveRun
from .run import shut_off


class Joining:
    """A pytest plugin that says which round this is."""

    def __init__(self, one: Round) -> None:
        self._round = one

    def pytest_idc_round(self) -> Round:
        return self._round


def main() -> int:
    """Gives pytest's exit code."""
    run, number, *arguments = sys.argv[1:]
    threading.Thread(target=_end_with, args=(os.dup(0),), name="idcbench-lifeline", daemon=True).start()
    shut_off()
    return int(pytest.main(arguments, plugins=[LiveRun(), Joining(Round(run=Path(run), number=int(number)))]))


def _end_with(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
