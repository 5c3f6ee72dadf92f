"""The forms in which findings are told: JSON by its published schema, JUnit, a page, a table; and the list in docs."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import msgspec
import pytest

from idcbench.provisioning.preflight.checking import Changed, Checked
from idcbench.provisioning.preflight.document import Document, document_of, encode, json_schema
from idcbench.provisioning.preflight.junit import junit
from idcbench.provisioning.preflight.registry import CHECKS
from idcbench.provisioning.preflight.terminal import render
from idcbench.reports.preflight_html import render_preflight

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def document(scene: Any) -> Document:
    """An unreachable host, swap on two others, little memory, and a host whose answer is hostile."""
    scene.lose("cp1", "192.0.2.11 port 22 refuses connections; is sshd running, and is `port` right?")
    scene.set("cp2", "swap", "/dev/sda2").set("w1", "swap", "/dev/sda2")
    scene.set("w1", "memory_kib", "MemTotal:1500000", "MemAvailable:1400000")
    scene.set("w1", "hostname", "<script>alert(1)</script>\x1b[2J")
    return of(scene, changed=(Changed(host="cp3", what="switch swap off, and keep it off"),))


def of(scene: Any, *, changed: tuple[Changed, ...] = ()) -> Document:
    evidence = scene.evidence()
    return document_of(
        Checked(
            inventory=evidence.inventory, checks=tuple(CHECKS.values()), findings=tuple(scene.judge()),
            changed=changed, started=evidence.now, seconds=3.2,
        )
    )  # fmt: skip


def test_the_json_is_as_its_published_schema_says(document: Document) -> None:
    schema = json_schema()
    assert json.loads((DOCS / "preflight.schema.json").read_text()) == json.loads(json.dumps(schema))
    jsonschema.validate(json.loads(encode(document)), schema)
    assert msgspec.json.decode(encode(document), type=Document) == document
    assert not document.sound
    assert [row.check for row in document.findings if row.level == "error"] == ["P001"]
    levels = {check.id: check.level for check in document.checks}
    assert (levels["P001"], levels["P102"], levels["P101"], levels["P512"]) == ("error", "warning", "sound", "warning")


def test_junit_fails_for_errors_alone_and_counts_them(document: Document) -> None:
    root = Xml.fromstring(junit(document))
    cases = root.findall(".//testcase")
    assert len(cases) == len(document.findings) == sum(int(suite.get("tests", "")) for suite in root)
    failed = [case for case in cases if case.find("failure") is not None]
    assert [case.get("name") for case in failed] == ["P001 every host is reached by SSH, and its root's rights [cp1]"]
    assert "is sshd running" in failed[0].find("failure").get("message", "")  # type: ignore[union-attr]
    assert any("warning: found /dev/sda2" in (case.findtext("system-out") or "") for case in cases)


def test_the_page_says_all_and_runs_nothing_that_a_host_said(document: Document) -> None:
    page = render_preflight(msgspec.to_builtins(document))
    assert page.count("<script") == 1  # the page's own, which sorts tables; its digest is the one that is allowed
    assert "&lt;script&gt;alert(1)" in page
    assert "Not fit" in page
    for check in CHECKS.values():
        assert f"{check.id} " in page
    assert page.count("cp2, w1: idcbench up switches it off") == 1
    assert "--fix does it: switch swap off" in page
    assert "cp3: switch swap off, and keep it off" in page
    assert page.index("P001: every host") < page.index("P102: enough memory") < page.index("P711: network policies")


@pytest.mark.integration
async def test_the_page_fits_a_desk_and_a_hand(document: Document, chromium: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(render_preflight(msgspec.to_builtins(document)))
    async with chromium.browser(tmp_path / "profile") as page:
        for width in (1280, 400):
            await page.open(file, width=width)
            await page.value(chromium.OPEN_ALL)
            assert await page.value("document.documentElement.scrollWidth") == width
            assert await page.value(chromium.OUTSIDE) == []
        assert set(page.requests) == {file.as_uri()}
        assert page.complaints == []


def test_the_table_has_errors_first_and_hosts_together(document: Document) -> None:
    text = render(document)
    rows = [line for line in text.splitlines() if line.startswith(("error ", "warning ", "note "))]
    assert rows[0].startswith("error")
    assert [row.split()[1] for row in rows] == ["P001", "P102", "P512", "P409", "P711"]
    assert "cp2, w1" in text
    assert "P512 cp2, w1: idcbench up switches it off for good" in text
    assert "(--fix does it)" in " ".join(text.split())
    assert "changed on cp3: switch swap off" in text
    sound = len({row.check for row in document.findings}) - 5
    rest = len(CHECKS) - 5 - sound
    assert text.splitlines()[-1] == (
        f"{len(CHECKS)} checks on 4 hosts in 3.2 s: {sound} sound, 1 with errors, 2 with warnings, 2 with notes, "
        f"{rest} not judged"
    )
    assert max(len(line) for line in text.splitlines()) < 160


def test_sound_hosts_are_told_in_a_line(scene: Any) -> None:
    document = of(scene.ask("plugin: flannel", f"plugin: {__file__}"))
    assert document.sound
    sound = len({row.check for row in document.findings})
    said = f"{len(CHECKS)} checks on 4 hosts in 3.2 s: {sound} sound, {len(CHECKS) - sound} not judged"
    assert render(document).strip() == said
    assert "Fit" in render_preflight(msgspec.to_builtins(document))


def test_every_check_is_in_docs_as_it_is() -> None:
    text = (DOCS / "preflight.md").read_text()
    listed = [line for line in text.splitlines() if line.startswith("| P")]
    assert listed == [row(check) for check in CHECKS.values()]


def row(check: Any) -> str:
    measured = " (measured)" if check.measures else ""
    return f"| {check.id} | {check.title}{measured} | {check.severity} | {check.why} |"


def test_numbers_and_texts_are_whole() -> None:
    assert len(CHECKS) >= 40
    for number, check in CHECKS.items():
        assert number == check.id
        assert check.why.endswith((".", "one."))
        assert not check.title.endswith(".")
        assert "|" not in check.title + check.why
