"""`idcbench report`: what came out of a run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ..errors import UsageError
from ..runs.directory import Run


@click.command()
@click.argument("run", default="")
@click.option(
    "--html", "html", type=click.Path(path_type=Path), help="Write the HTML report there (default: into the run)."
)
@click.option("--markdown", "form", flag_value="markdown", help="Print Markdown instead.")
@click.option("--json", "form", flag_value="json", help="Print JSON instead.")
@click.option("--text", "form", flag_value="text", help="Print the summary instead.")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    metavar="FILE.tar.gz",
    help="Write one archive of all that is in the run.",
)
@click.option(
    "--open/--no-open", "show", default=True, help="Open the HTML report in a browser when there is a display."
)
@click.option("--serve", is_flag=True, help="Show the run in a browser while it goes on, until Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65535), help="With --serve: its port (default: 8790; 0: a free one).")
@click.option("--bind", "address", metavar="ADDRESS", help="With --serve: its address (default: 127.0.0.1).")
@click.option("--root", type=click.Path(path_type=Path), default=Path(".idcbench"), help="Where the runs are.")
def report(
    run: str,
    html: Path | None,
    form: str | None,
    bundle: Path | None,
    show: bool,
    serve: bool,
    port: int | None,
    address: str | None,
    root: Path,
) -> None:
    """Write the report of RUN as one HTML file, print where it is, and open it.

    RUN is a run directory, the archive of one, a target (its latest run), TARGET/NNNN or NNNN; without it, the newest
    run. The report of an archive is written beside it.
    """
    from ..runs.locate import locate_run

    if serve and (html or form or bundle):
        raise UsageError("--serve shows the run instead of writing it; leave out the other forms")
    if not serve and (port is not None or address is not None):
        raise UsageError("--port and --bind belong to --serve; add it, or leave them out")
    chosen = locate_run(root, run)
    if serve:
        _serve(chosen, port, address)
        return
    if form is not None:
        click.echo(_text(form, chosen), nl=False)
        return
    from ..reports.write import write_report
    from ..runs.archive import is_archive, pack

    if html is None and is_archive(Path(run)):
        html = Path(run).with_name(f"{Path(run).name.partition('.')[0]}.html")
    path = write_report(chosen.path, html)
    if bundle is not None:
        click.echo(pack(chosen, bundle))
        return
    click.echo(path)
    if show and _has_display():
        import webbrowser

        webbrowser.open(path.absolute().as_uri())


def _serve(run: Run, port: int | None, address: str | None) -> None:
    import asyncio

    from .serve import ADDRESS, PORT, is_loopback, serve

    address = ADDRESS if address is None else address
    if not is_loopback(address):
        click.echo(f"warning: --bind {address}: anyone who reaches it can read this run", err=True)
    asyncio.run(serve(run, address=address, port=PORT if port is None else port, say=click.echo))


def _text(form: str, run: Run) -> str:
    from ..reports.export import render_json
    from ..reports.markdown import render_markdown
    from ..reports.model import report_of
    from ..reports.terminal import render_terminal

    renderers = {"markdown": render_markdown, "json": render_json, "text": render_terminal}
    return renderers[form](report_of(run))


def _has_display() -> bool:
    """Whether a person sits there: a terminal, and a display that a browser can use."""
    return sys.stdout.isatty() and any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
