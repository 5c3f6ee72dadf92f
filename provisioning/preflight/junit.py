"""What a check of hosts came to, as JUnit XML: a suite per group, a case per check and subject."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as Xml

from .check import GROUPS
from .document import CheckRow, Document, FindingRow

UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write; hosts may say it."""


def junit(document: Document) -> bytes:
    """An error is a failure; a warning or note passes with its text as output, as a CI is not to stop for it."""
    checks = {check.id: check for check in document.checks}
    root = Xml.Element("testsuites", name=f"idcbench check {document.cluster}", time=f"{document.seconds:.2f}")
    for group in GROUPS:
        rows = [row for row in document.findings if checks[row.check].group == group]
        if rows:
            failures = sum(row.level == "error" for row in rows)
            suite = Xml.SubElement(
                root, "testsuite", name=group, tests=str(len(rows)), failures=str(failures), errors="0", skipped="0",
                timestamp=document.started,
            )  # fmt: skip
            suite.extend(_cases(rows, checks))
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _cases(rows: list[FindingRow], checks: dict[str, CheckRow]) -> Iterator[Xml.Element]:
    for row in sorted(rows, key=lambda each: (each.check, each.subject)):
        check = checks[row.check]
        case = Xml.Element("testcase", classname=f"idcbench.check.{check.group}",
                           name=_clean(f"{check.id} {check.title} [{row.subject}]"), time="0")  # fmt: skip
        text = _clean(f"found {row.found}; wanted {row.minimal or row.wanted}; {row.remedy}")
        if row.level == "error":
            Xml.SubElement(case, "failure", message=text).text = check.why
        elif row.level != "sound":
            Xml.SubElement(case, "system-out").text = f"{row.level}: {text}"
        yield case


def _clean(text: str) -> str:
    return UNPRINTABLE.sub("?", text)
