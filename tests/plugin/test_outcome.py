"""Exit codes: which one wins when several hold."""

from __future__ import annotations

import pytest

from idcbench.plugin.outcome import Ending


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (Ending(pytest_code=0), 0),
        (Ending(pytest_code=1), 1),
        (Ending(pytest_code=1, interrupted=True), 2),
        (Ending(pytest_code=3, interrupted=True), 2),
        (Ending(pytest_code=3, refused=6), 3),
        (Ending(pytest_code=4), 4),
        (Ending(pytest_code=5), 5),
        (Ending(pytest_code=0, ran=False), 5),
        (Ending(pytest_code=0, refused=6, ran=False), 6),
        (Ending(pytest_code=2, refused=6), 6),
        (Ending(pytest_code=0, refused=4), 4),
        (Ending(pytest_code=0, valid=False), 7),
        (Ending(pytest_code=1, valid=False), 1),
    ],
)
def test_the_code(ending: Ending, code: int) -> None:
    assert ending.code() == code
