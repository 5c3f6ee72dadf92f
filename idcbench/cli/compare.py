"""`idcbench compare`: runs side by side, with a verdict on every metric that the first and another have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError

if TYPE_CHECKING:
    from ..runs.comparison import Comparison, Difference

WORSE = 1
"""Exit code when a limit of ``--fail`` is passed."""


@dataclass(frozen=True, slots=True)
class Limit:
    """``METRIC:p99:10%``: how much worse a quantile may be; an empty ``metric`` means each."""

    metric: str
    quantile: str
    share: float


class LimitType(click.ParamType[Limit]):
    """Reads a :class:`Limit`."""

    name = "[METRIC:]QUANTILE:PERCENT"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Limit:
        found = re.fullmatch(
            r"(?:(?P<metric>[^:]+):)?(?P<quantile>p50|p99|value):(?P<share>[0-9]+(?:\.[0-9]+)?)%", value
        )
        if not found or not re.fullmatch(r"[0-9]+(\.[0-9]+)?", found["share"]):
            self.fail(f"{value!r}: such as p99:10% or failover.write_outage:value:20% is wanted", param, ctx)
        return Limit(found["metric"] or "", found["quantile"], float(found["share"]) / 100)


class ShareType(click.ParamType[float]):
    """Reads ``5%`` as 0.05."""

    name = "PERCENT"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)%", value)
        if not found or not 0 < float(found[1]) < 100:
            self.fail(f"{value!r}: a percentage between 0% and 100% is wanted", param, ctx)
        return float(found[1]) / 100


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="A B [C …]")
@click.option("--fail", "limits", type=LimitType(), multiple=True, help="Exit with 1 when one is worse than A by more.")
@click.option(
    "--minimum-effect", type=ShareType(), default=0.05, show_default="5%", help="What is less counts as the same."
)
@click.option("--headline", "headlines", multiple=True, metavar="METRIC", help="Decide on this; several times.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the comparison there, as a page.")
@click.option("--markdown", "form", flag_value="markdown", help="Print Markdown instead.")
@click.option("--json", "form", flag_value="json", help="Print JSON instead.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV instead, a line for each comparison.")
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write JUnit XML there too: a test for each comparison, which fails where B is worse.",
)
@click.option("--all", "all_rows", is_flag=True, help="Show what does not differ too.")
@click.option("--root", type=click.Path(path_type=Path), default=Path(".idcbench"), help="Where the runs are.")
def compare(
    runs: tuple[str, ...], limits: tuple[Limit, ...], minimum_effect: float, headlines: tuple[str, ...],
    html: Path | None, form: str | None, junit: Path | None, all_rows: bool, root: Path,
) -> None:  # fmt: skip
    """Set run B, and any others, beside run A: what is better, worse, the same, or cannot be told, and how sure.

    Each is a run as `idcbench report` takes it; the first is what all others are judged against. What counts is the
    round, not the single request. Figures of an invalid run are compared with a caution, and never pass --fail.
    """
    from ..runs.comparing import judge_runs, measure_runs
    from ..runs.locate import locate_run

    if html is not None and form is not None:
        raise UsageError(f"--html and --{form} exclude each other; call it twice")
    if len(runs) < 2:
        raise UsageError(f"{runs[0]} alone: two runs or more are wanted, such as: idcbench compare {runs[0]} OTHER")
    found = [locate_run(root, said) for said in runs]
    measured = measure_runs(*found, headlines=headlines)
    comparison = judge_runs(measured, minimum_effect=minimum_effect)
    if junit is not None:
        from ..reports.comparing_tools import write_junit

        write_junit(comparison, junit)
    if html is not None:
        from ..reports.comparing_html import write_comparison

        click.echo(write_comparison(comparison, found, html))
    else:
        click.echo(_text(comparison, form, all_rows=all_rows), nl=False)
    broken = [
        told for limit in limits for told in _beyond(limit, judge_runs(measured, minimum_effect=limit.share))
    ]  # fmt: skip
    broken += [f"{side.id} is invalid" for side in comparison.sides.values() if limits and side.invalid_because]
    for told in broken:
        click.echo(f"fail: {told}", err=True)
    if broken:
        raise click.exceptions.Exit(WORSE)


def _text(comparison: Comparison, form: str | None, *, all_rows: bool) -> str:
    import msgspec

    from ..reports.comparing_text import render_comparison_markdown, render_comparison_terminal

    if form == "json":
        return msgspec.json.format(msgspec.json.encode(comparison), indent=1).decode() + "\n"
    if form == "csv":
        from ..reports.comparing_tools import comparison_csv

        return comparison_csv(comparison)
    if form == "markdown":
        return render_comparison_markdown(comparison)
    return render_comparison_terminal(comparison, all_rows=all_rows)


def _beyond(limit: Limit, comparison: Comparison) -> Iterator[str]:
    """What is worse by more than the limit, for sure, and what a limit names that cannot be judged.

    Raises :class:`UsageError` for a limit that nothing matches.
    """
    from ..reports.comparing_words import amount

    meant = [
        one
        for one in comparison.differences
        if limit.quantile == one.quantile and one.better != "none" and limit.metric in ("", one.name)
    ]
    if not meant:
        what = limit.metric or "any metric"
        raise UsageError(f"--fail: no {limit.quantile} of {what} is in both runs, with a direction that is better")

    def who(one: Difference) -> str:
        return f" of {one.side}" if comparison.others else ""

    for one in meant:
        if one.word == "worse":
            yield f"{one.title}{who(one)} is worse by more than {limit.share:.3g} of A's: {amount(one)}"
        if one.word == "insufficient" and limit.metric:
            yield f"{one.title}{who(one)} cannot be judged: it {one.why}"
    if all(one.word == "insufficient" for one in meant) and not limit.metric:
        yield f"no {limit.quantile} can be judged, for one: {meant[0].title} {meant[0].why}"
