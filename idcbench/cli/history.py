"""`idcbench history`: the trend of each metric over the runs of a target, and where it changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from .compare import ShareType

if TYPE_CHECKING:
    from ..runs.trends import History


@click.command()
@click.argument("target", default="")
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="How many runs of each target.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric; several times.")
@click.option(
    "--minimum-effect", type=ShareType(), default=0.05, show_default="5%", help="A smaller change is not told."
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write it there, as a page with charts.")
@click.option("--markdown", "form", flag_value="markdown", help="Print Markdown instead.")
@click.option("--json", "form", flag_value="json", help="Print JSON instead.")
@click.option("--root", type=click.Path(path_type=Path), default=Path(".idcbench"), help="Where the runs are.")
def history(
    target: str, last: int, metrics: tuple[str, ...], minimum_effect: float, html: Path | None, form: str | None,
    root: Path,
) -> None:  # fmt: skip
    """Show each metric over the last runs of TARGET, or of all, and the runs at which it changed for good.

    Runs whose settings make their figures incomparable are lines of their own. Invalid and interrupted runs are left
    out and named.
    """
    from ..runs.history import history_of
    from ..runs.index import indexed
    from ..runs.shelf import shelved

    if html is not None and form is not None:
        raise UsageError(f"--html and --{form} exclude each other; call it twice")
    with indexed(root) as read:
        runs = shelved(root, target, read=read)
    if not runs:
        raise UsageError(f"no run under {root / target if target else root} yet; make one: idcbench run")
    found = history_of(runs, last=last, metrics=metrics, minimum_effect=minimum_effect)
    if html is not None:
        from ..reports.history_html import write_history

        click.echo(write_history(found, html))
    else:
        click.echo(_text(found, form), nl=False)


def _text(found: History, form: str | None) -> str:
    import msgspec

    from ..reports.history_text import render_history_markdown, render_history_terminal

    if form == "json":
        return msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"
    return render_history_markdown(found) if form == "markdown" else render_history_terminal(found)
