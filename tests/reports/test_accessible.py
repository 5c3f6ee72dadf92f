"""Every kind of page by axe: no finding of any weight on a desk and in a hand, by day and by night."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from idcbench.cli.main import main
from idcbench.reports.comparing_html import write_comparison
from idcbench.reports.write import write_report
from idcbench.runs.comparing import compare_runs
from idcbench.runs.directory import Run, create_run
from idcbench.runs.schema import TestCounts, Validity

pytestmark = pytest.mark.integration

AXE = Path(__file__).parents[2] / ".venv/axe/node_modules/axe-core/axe.min.js"
FINDINGS = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
  it => [it.impact, it.id, it.nodes.slice(0, 3).map(node => node.target.join(' ')).join(', ')].join(' ')))"""
PAGES = ("failed", "invalid", "metrics", "two", "three", "history")


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe; without it the test is skipped, and in CI it fails."""
    if not AXE.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("axe-core is not installed; type: make for-tests")
    return AXE.read_text()


def make(root: Path, number: int) -> Run:
    """Ten rounds of two metrics, one of which doubles from the seventh run on."""
    run = create_run(root, target_id="embedded")
    draw = np.random.default_rng(number)
    for at in range(10):
        run.happened("round-began", at_ns=at * 1000, number=at)
        for verb, level in (("GET", 10 * (1 + number // 6)), ("LIST", 5)):
            series = run.series(
                "api.latency", unit="ms", better="lower", headline=True, labels={"verb": verb}, definition="d"
            )
            series.add_many(level * draw.lognormal(0, 0.02, 20), range(at * 1000, at * 1000 + 20))
        run.happened("round-ended", at_ns=at * 1000 + 100, number=at)
    run.finish(tests=TestCounts(), checks=(), facts={}, options={}, validity=Validity(valid=number != 2))
    return run


@pytest.fixture(scope="module")
def pages(runs: dict[str, Run], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind in :data:`PAGES`."""
    folder = tmp_path_factory.mktemp("accessible")
    made = [make(folder / "runs", number) for number in range(12)]
    found = {state: write_report(runs[state].path) for state in ("failed", "invalid")}
    found["metrics"] = write_report(made[0].path)
    for name, some in (("two", made[5:7]), ("three", made[5:8])):
        found[name] = write_comparison(compare_runs(*some), some, folder / f"{name}.html")
    found["history"] = folder / "history.html"
    assert main(["history", "--html", str(found["history"]), "--root", str(folder / "runs")]) == 0
    return found


@pytest.mark.parametrize("kind", PAGES)
async def test_axe_finds_nothing(
    kind: str, pages: dict[str, Path], axe: str, chromium: ModuleType, tmp_path: Path
) -> None:
    found = []
    async with chromium.browser(tmp_path / "profile") as page:
        for width, dark in ((1280, False), (400, False), (1280, True), (400, True)):
            await page.open(pages[kind], width=width, dark=dark)
            await page.value(chromium.OPEN_ALL)
            await page.call("Runtime.evaluate", expression=axe)
            said = await page.value(FINDINGS)
            assert isinstance(said, list), "axe did not run"
            found += [f"{width} px, {'dark' if dark else 'light'}: {one}" for one in said]
    assert found == []


async def test_a_history_fits_asks_for_nothing_and_does_not_complain(
    pages: dict[str, Path], chromium: ModuleType, tmp_path: Path
) -> None:
    async with chromium.browser(tmp_path / "profile") as page:
        await chromium.assert_fits(page, pages["history"])
