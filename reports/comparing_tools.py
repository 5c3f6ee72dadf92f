"""A comparison for other tools: CSV for a spreadsheet, JUnit XML for the page of tests of a CI system."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

from idcbench.errors import RunError
from idcbench.runs.comparison import Comparison, Difference, Side

from .comparing_words import amount, certainty

COLUMNS = (
    "metric", "labels", "quantile", "headline", "unit", "better", "a", "b", "scale", "value", "low", "high", "p",
    "p_corrected", "word", "why", "more_rounds", "rounds_a", "rounds_b", "samples_a", "samples_b",
)  # fmt: skip
SUITE = "idcbench.compare"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no character for, not even escaped."""


def comparison_csv(comparison: Comparison) -> str:
    """A line for each comparison, headlines first; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for it in comparison.differences:
        labels = ";".join(f"{key}={value}" for key, value in sorted(it.labels.items()))
        writer.writerow((it.name, labels, it.quantile, str(it.headline).lower(), it.unit, it.better, it.a, it.b,
                         it.scale if it.value is not None else None, it.value, it.low, it.high, it.p, it.p_corrected,
                         it.word, it.why, it.more_rounds, *it.rounds, *it.samples))  # fmt: skip
    return text.getvalue()


def write_junit(comparison: Comparison, file: Path) -> None:
    """Write :func:`comparison_junit`. Raises :class:`RunError` when the file cannot be written."""
    try:
        file.write_bytes(comparison_junit(comparison))
    except OSError as error:
        raise RunError(f"{file}: cannot be written: {error.strerror}; name another file: --junit") from error


def comparison_junit(comparison: Comparison) -> bytes:
    """A test case for each comparison and each run: worse, and an invalid run, is a failure.

    What cannot be told, or has too few samples, is skipped with the reason; everything else passes.
    """
    a, b = comparison.a, comparison.b
    suite = ElementTree.Element("testsuite", name=_text(f"{SUITE} {a.id} {b.id}"))
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("a", a.id), ("b", b.id), *(("warning", warning) for warning in comparison.warnings)):
        ElementTree.SubElement(properties, "property", name=name, value=_text(value))
    for side in (a, b):
        _run_case(suite, side)
    for difference in comparison.differences:
        _case(suite, difference)
    for kind, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(kind, str(len(list(suite.iter(tag)))))
    suite.set("errors", "0")
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    text: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _run_case(suite: ElementTree.Element, side: Side) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=f"{SUITE}.runs", name=_text(f"{side.id} is valid"))
    if side.invalid_because:
        ElementTree.SubElement(case, "failure", message=_text("; ".join(side.invalid_because)))


def _case(suite: ElementTree.Element, one: Difference) -> None:
    kind = "headline" if one.headline else "exploratory"
    case = ElementTree.SubElement(suite, "testcase", classname=f"{SUITE}.{kind}", name=_text(one.title), time="0")
    said = _text(f"{one.word}: {amount(one)}" + (f", {certainty(one)}" if certainty(one) else ""))
    if one.word == "worse":
        ElementTree.SubElement(case, "failure", message=said, type="worse").text = _text(one.definition)
    elif one.word in ("cannot tell", "insufficient"):
        ElementTree.SubElement(case, "skipped", message=_text(f"{one.word}: {certainty(one)}"))
    else:
        ElementTree.SubElement(case, "system-out").text = said


def _text(text: str) -> str:
    return _NO_XML.sub("�", text)
