"""The HTML file without a browser: what it says, what it must not hold, how large it may be."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from idcbench.reports.html import LARGEST_BYTES, render_html
from idcbench.reports.model import Report, report_of
from idcbench.reports.write import write_report
from idcbench.runs.directory import Run, create_run
from idcbench.runs.schema import Check, TestCounts

CSS = (Path(__file__).parents[2] / "reports" / "templates" / "report.css").read_text()
STATES = ("passed", "failed", "invalid", "interrupted", "cut-off")


class Outline(HTMLParser):
    """Headings, ids, links to within the page, and whether every element is closed."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labelled: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: value or "" for key, value in attrs}
        if tag not in self.VOID:
            self.open.append(tag)
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))
        self.ids += [said["id"]] if "id" in said else []
        self.links += [said["href"]] if "href" in said else []
        self.labelled += said.get("aria-labelledby", "").split()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()


@pytest.fixture(scope="module")
def pages(reports: dict[str, Report]) -> dict[str, str]:
    return {state: render_html(report) for state, report in reports.items()}


@pytest.mark.parametrize("state", STATES)
def test_it_is_well_formed_and_its_links_lead_somewhere(pages: dict[str, str], state: str) -> None:
    outline = Outline(pages[state])
    assert not outline.open
    assert len(outline.ids) == len(set(outline.ids))
    assert {link[1:] for link in outline.links if link.startswith("#")} | set(outline.labelled) <= set(outline.ids)
    assert outline.headings[0] == 1
    assert all(after <= before + 2 for before, after in zip(outline.headings, outline.headings[1:], strict=False))


@pytest.mark.parametrize("state", STATES)
def test_it_asks_for_nothing_and_runs_nothing(pages: dict[str, str], state: str) -> None:
    page = re.sub(r"<script>(.*?)</script>", "", pages[state], count=1, flags=re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", pages[state], re.DOTALL)[1]
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in page
    assert not re.search(r"<script|<link|<img|@import|url\(|https?:|\bon\w+=", page)
    assert not re.search(r"fetch|XMLHttp|import|eval|https?:", script)
    assert "default-src 'none'" in pages[state]
    assert len(pages[state].encode()) < LARGEST_BYTES


def test_the_verdict_comes_first_and_says_why(pages: dict[str, str]) -> None:
    words = {state: re.search(r'class="verdict \w+">([^<]+)<', page)[1] for state, page in pages.items()}
    assert words == {
        "passed": "Passed", "failed": "Failed", "invalid": "Invalid", "interrupted": "Interrupted",
        "cut-off": "Interrupted",
    }  # fmt: skip
    assert "must not be used" not in pages["passed"]
    assert "start lag p99 was 14.2 ms" in pages["invalid"]
    assert "cut off before its end" in pages["cut-off"]


def test_it_says_what_the_results_do_not_say(pages: dict[str, str]) -> None:
    assert "a build from modules, not the official release" in pages["passed"]
    assert "Nothing claims the kubelet: the nodes are simulated." in pages["passed"]


def test_a_kubelet_claimed_on_simulated_nodes_is_called_out(reports: dict[str, Report], runs: dict[str, Run]) -> None:
    document = runs["passed"].document()
    check = Check(nodeid="a::b", outcome="passed", proves="kubelet")
    changed = msgspec.structs.replace(document, checks=(check,), tests=TestCounts(passed=1))
    (runs["passed"].path / "run.json").write_bytes(msgspec.json.encode(changed))
    try:
        assert "1 of them claim the kubelet on simulated nodes" in render_html(report_of(runs["passed"]))
    finally:
        (runs["passed"].path / "run.json").write_bytes(msgspec.json.encode(document))
    assert reports["passed"].claims_kubelet == 0


def test_shape_bench_is_marked(reports: dict[str, Report], runs: dict[str, Run]) -> None:
    document = runs["passed"].document()
    facts = document.facts | {"cluster": document.facts["cluster"] | {"shape": "bench"}}
    from idcbench.reports import cluster_facts

    changed = msgspec.structs.replace(document, facts=facts)
    report = replace(
        reports["passed"], document=changed, cautions=cluster_facts.cautions(changed),
        cluster=cluster_facts.cluster_facts(changed),
    )  # fmt: skip
    page = render_html(report)
    assert "Shape bench: one etcd" in page
    assert "embedded (shape bench)" in page


def test_failures_and_skips_come_with_their_reasons(pages: dict[str, str]) -> None:
    assert "AssertionError: 3 endpoints, wanted 4" in pages["failed"]
    assert "&lt;EndpointSlice web-x7f2k&gt; &amp; &#34;web-0&#34;" in pages["failed"]
    assert "needs real-pods, which simulated nodes lack" in pages["failed"]


def test_an_empty_run_has_a_report(tmp_path: Path) -> None:
    run = create_run(tmp_path / ".idcbench", target_id="embedded")
    page = render_html(report_of(run))
    assert "No check was recorded." in page
    assert "No facts of a cluster were recorded" in page


def test_many_repetitions_stay_within_the_size(tmp_path: Path, synthetic: ModuleType) -> None:
    run = synthetic.make_run(tmp_path / ".idcbench", repetitions=25, state="failed")
    path = write_report(run.path)
    assert path == run.path / "report.html"
    assert path.stat().st_size < LARGEST_BYTES
    page = path.read_text()
    assert re.search(r"\d+ more repetitions are in samples/, not drawn", page)
    assert page.count('class="timeline"') >= 4


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


BLOCKS = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)


@pytest.mark.parametrize(("scheme", "ground"), list(product(range(3), ("paper", "soft"))))
def test_text_has_the_contrast_of_wcag_aa(scheme: int, ground: str) -> None:
    found = colours(BLOCKS[scheme])
    for name in ("ink", "muted", "good", "bad", "warn", "reused", "new", "unknown"):
        lighter, darker = sorted((luminance(found[name]), luminance(found[ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (name, ground)


def test_paper_is_printed_in_the_light_colours() -> None:
    assert colours(BLOCKS[2]) == colours(BLOCKS[0])
