"""`idcbench list | prune | export`: what runs there are, which may go, and their figures for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import IdcError, RunError, UsageError

if TYPE_CHECKING:
    from ..runs.directory import Run

TEXTS = ("csv", "openmetrics", "pytest-benchmark")
PARQUET = "parquet"


class DamagedError(IdcError):
    """Something is missing in what was written; the text says what."""


root_option = click.option("--root", type=click.Path(path_type=Path), default=Path(".idcbench"), help="Where runs are.")


@click.command("list")
@click.argument("target", default="")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
@root_option
def list_runs(target: str, as_json: bool, root: Path) -> None:
    """List the runs of TARGET, or of all targets, oldest first."""
    import msgspec
    from tabulate import tabulate

    from ..reports.figures import figure
    from ..reports.verdict import verdict_of
    from ..runs.index import indexed
    from ..runs.shelf import shelved

    rows = []
    with indexed(root) as read:
        runs = shelved(root, target, read=read)
    for run in runs:
        document = run.document
        rows.append(
            {
                "run": f"{run.path.parent.name}/{run.path.name}",
                "started": document.started[:16].replace("T", " ") if document else "",
                "verdict": verdict_of(document).word if document else "Unreadable",
                "checks": f"{document.tests.passed} of {document.tests.total}" if document else run.trouble,
                "metrics": len(document.metrics) if document else 0,
                "size_bytes": run.size_bytes,
            }
        )
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=1).decode())
        return
    if not rows:
        click.echo(f"no run under {root} yet; make one: idcbench run")
        return
    shown = [{**row, "size_bytes": figure(float(str(row["size_bytes"])), "bytes")} for row in rows]
    click.echo(tabulate([tuple(row.values()) for row in shown],
                        headers=("run", "started (UTC)", "verdict", "checks passed", "metrics", "size")))  # fmt: skip


@click.command()
@click.argument("target", default="")
@click.option("--keep", required=True, type=click.IntRange(1), help="How many of each target stay, the newest.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@root_option
def prune(target: str, keep: int, dry_run: bool, root: Path) -> None:
    """Delete all but the newest runs of TARGET, or of each. A run that has not ended stays: it may be going on."""
    from ..reports.figures import figure
    from ..runs.shelf import disposable, dispose, shelved, sweep

    gone = disposable(shelved(root, target), keep=keep)
    if not dry_run:
        sweep(root, target)
    for run in gone:
        size = figure(run.size_bytes, "bytes")
        if not dry_run:
            dispose(run)
        click.echo(f"{'would delete' if dry_run else 'deleted'} {run.path} ({size})")
    if not gone:
        click.echo("nothing to delete")


@click.command()
@click.argument("run", default="")
@click.option(
    "--format", "form", required=True, type=click.Choice((*TEXTS, PARQUET)),
    help="csv, parquet: every sample; openmetrics: figures for Prometheus; pytest-benchmark: for `pytest-benchmark "
    "compare`.",
)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write there [standard output].")
@root_option
def export(run: str, form: str, output: Path | None, root: Path) -> None:
    """Write the figures of RUN (as `idcbench report` takes it) for another tool."""
    from ..runs.locate import locate_run
    from ..runs.metrics import damage_of

    if form == PARQUET and output is None:
        raise UsageError("--format parquet: it is no text for a terminal; name a file: --output FILE")
    chosen = locate_run(root, run)
    if form == PARQUET and output is not None:
        from ..reports.parquet import write_parquet

        write_parquet(chosen, output)
    else:
        _write_text(chosen, form, output)
    if damage := damage_of(chosen.path):
        raise DamagedError("; ".join(damage))


def _write_text(run: Run, form: str, output: Path | None) -> None:
    from ..reports.tool_formats import FORMATS

    pieces = FORMATS[form](run)
    if output is None:
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    try:
        with output.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
    except OSError as error:
        raise RunError(f"{output}: cannot be written: {error.strerror}") from error
