"""The report in a headless Chromium, on a desk and in a hand, by day and by night."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from idcbench.reports.write import write_report
from idcbench.runs.directory import Run

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("state", ["passed", "failed", "invalid", "cut-off"])
async def test_it_fits_asks_for_nothing_and_does_not_complain(
    state: str, runs: dict[str, Run], chromium: ModuleType, tmp_path: Path
) -> None:
    file = write_report(runs[state].path)
    assert file.stat().st_size < 500_000
    async with chromium.browser(tmp_path / "profile") as page:
        await chromium.assert_fits(page, file)


async def test_every_wide_table_scrolls_in_its_own_box_and_by_keyboard(
    runs: dict[str, Run], chromium: ModuleType, tmp_path: Path
) -> None:
    async with chromium.browser(tmp_path / "profile") as page:
        await page.open(write_report(runs["passed"].path), width=400)
        wide = "[...document.querySelectorAll('.scroll')].filter(it => it.scrollWidth > it.clientWidth)"
        assert await page.value(f"{wide}.length") > 3
        assert await page.value(f"{wide}.every(it => it.tabIndex == 0 && it.ariaLabel)")


async def test_on_paper_it_is_light_and_everything_is_open(
    runs: dict[str, Run], chromium: ModuleType, tmp_path: Path
) -> None:
    async with chromium.browser(tmp_path / "profile") as page:
        await page.open(write_report(runs["passed"].path), width=1280, dark=True)
        closed = await page.value("document.body.scrollHeight")
        scheme = {"name": "prefers-color-scheme", "value": "dark"}
        await page.call("Emulation.setEmulatedMedia", media="print", features=[scheme])
        assert await page.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert await page.value("document.body.scrollHeight") > 1.5 * closed
