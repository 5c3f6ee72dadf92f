"""The first thing a reader wants to know: did it pass, and may the figures be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from idcbench.runs.schema import RunDocument

Word = Literal["Passed", "Failed", "Invalid", "Interrupted", "Nothing ran"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One word, the sentence that goes with it, and why the figures must not be used (empty when they may)."""

    word: Word
    sentence: str
    invalid_because: tuple[str, ...]

    @property
    def good(self) -> bool:
        return self.word == "Passed"


def verdict_of(document: RunDocument) -> Verdict:
    """Judge a run: an interruption outweighs a failure, a failure outweighs invalid figures."""
    reasons = () if document.valid else document.invalid_because or ("no reason was recorded",)
    return Verdict(word=_word(document), sentence=_sentence(document), invalid_because=reasons)


def _word(document: RunDocument) -> Word:
    tests = document.tests
    if document.interrupted:
        return "Interrupted"
    if tests.failed or tests.errors:
        return "Failed"
    if not document.valid:
        return "Invalid"
    return "Passed" if tests.passed else "Nothing ran"


def _sentence(document: RunDocument) -> str:
    tests = document.tests
    if document.ended is None:
        return "The run has no end: it was cut off, or is still going on."
    if not tests.total:
        return "No check ran."
    ran = tests.passed + tests.failed + tests.errors
    said = [f"{tests.passed} of {ran} checks passed" if tests.passed < ran else f"All {ran} checks passed"]
    if document.interrupted and tests.selected > tests.total:
        said = [f"{tests.total} of {tests.selected} checks were reached, of which {tests.passed} passed"]
    if not ran:
        said = ["No check ran"]
    if tests.failed:
        said.append(f"{tests.failed} failed")
    if tests.errors:
        said.append(f"{tests.errors} ended in an error")
    said.append(f"{tests.skipped} skipped" if tests.skipped else "none skipped")
    return ", ".join(said) + "."
