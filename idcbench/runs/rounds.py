"""The rounds of a run: what a comparison takes as one measurement each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..measure.statistics import Values
from .timeline import Event

Kind = Literal["rounds", "repetitions", "parts"]
PARTS = 10


def round_windows(events: Sequence[Event]) -> dict[int, tuple[int, int]]:
    """From when to when (CLOCK_MONOTONIC ns) each round lasted that ended, by number; empty in a run without any.

    Raises ``ValueError`` when a number comes twice or rounds overlap: a sample would count twice, or to another round.
    """
    began: dict[int, int] = {}
    windows: dict[int, tuple[int, int]] = {}
    for event in events:
        number = event.get("number")
        if event["what"] == "round-began" and isinstance(number, int):
            began[number] = event["at_ns"]
        if event["what"] == "round-ended" and isinstance(number, int) and number in began:
            if number in windows:
                raise ValueError(f"its timeline tells of round {number} twice")
            windows[number] = (began[number], event["at_ns"])
    for (_, end), (begin, _) in pairwise(sorted(windows.values())):
        if begin < end:
            raise ValueError("rounds in its timeline overlap")
    return windows


def in_windows(samples: npt.NDArray[np.void], windows: dict[int, tuple[int, int]]) -> dict[int, Values]:
    """The values of each round, by number; one without any is left out, and so is what was taken between rounds."""
    taken = {
        number: np.asarray(samples["value"][(samples["at_ns"] >= begin) & (samples["at_ns"] < end)], dtype=np.float64)
        for number, (begin, end) in windows.items()
    }
    return {number: values for number, values in taken.items() if len(values)}


def in_parts(samples: npt.NDArray[np.void]) -> list[Values]:
    """:data:`PARTS` parts of one run as even as they go, in the order of time: the next best where nobody made rounds.

    They tell how much the run varied within itself, and nothing of how much another one would differ.
    """
    values = np.asarray(samples["value"][np.argsort(samples["at_ns"], kind="stable")], dtype=np.float64)
    return [part for part in np.array_split(values, PARTS) if len(part)]


def one_by_one(samples: npt.NDArray[np.void]) -> list[Values]:
    """Each value a round of its own: that of one repetition."""
    return [np.asarray([value], dtype=np.float64) for value in samples["value"]]
