"""Rounds of one run that are made by sessions of their own: which round a session is, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..errors import RunError
from .records import UNREADABLE
from .schema import Check

FILE = "logs/rounds.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The round ``number``, from 1, of the run in the directory ``run``."""

    run: Path
    number: int


class RoundDone(msgspec.Struct, frozen=True, kw_only=True):
    """What a session leaves; ``complete`` is false when it was cut short."""

    number: int
    complete: bool
    checks: tuple[Check, ...]


def hand_over(one: Round, checks: Sequence[Check], *, complete: bool) -> None:
    """Leave a round to who finishes the run. Raises :class:`RunError`."""
    numbered = tuple(msgspec.structs.replace(check, round=one.number) for check in checks)
    done = RoundDone(number=one.number, complete=complete, checks=numbered)
    path = one.run / FILE
    try:
        with path.open("ab") as file:
            file.write(msgspec.json.encode(done) + b"\n")
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}; make room or make it writable") from error


def handed_over(run: Path) -> list[RoundDone]:
    """Every round that was left, oldest first; a line that was cut off is left out."""
    path = run / FILE
    found = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            found.append(msgspec.json.decode(line, type=RoundDone))
        except UNREADABLE:
            continue
    return found
