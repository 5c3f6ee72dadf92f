"""``idcbench check``: are these machines fit to become a cluster?"""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from ..errors import UsageError
from ..hosts.inventory_file import read_inventory
from ..provisioning.preflight import document, junit, terminal
from ..provisioning.preflight.checking import check_hosts
from ..provisioning.preflight.registry import chosen
from ..reports.preflight_html import render_preflight

UNSOUND = 6
_OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default="inventory.yaml")
@click.option("--fix", is_flag=True, help="Also mend what does no harm; what was changed is told.")
@click.option("--deep", is_flag=True, help="Measure disks for 20 s, those of members too.")
@click.option("--only", metavar="ID,…", default="", help="Only these checks, such as P101,P421.")
@click.option(
    "--bundle", type=click.Path(path_type=Path), metavar="FILE", help="What hosts will get; found beside FILE."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/preflight.schema.json) and nothing else.")
@click.option("--junit", "junit_file", type=_OUTPUT, metavar="FILE", help="Write JUnit XML there.")
@click.option("--html", "html_file", type=_OUTPUT, metavar="FILE", help="Write the report as a page there.")
def check(
    file: Path, fix: bool, deep: bool, only: str, bundle: Path | None, as_json: bool, junit_file: Path | None,
    html_file: Path | None,
) -> int:  # fmt: skip
    """Check all hosts of an inventory at once; nothing is changed without --fix. Exit code 6 when there are errors."""
    inventory = read_inventory(file)
    checks = chosen([each.strip().upper() for each in only.split(",") if each.strip()])
    checked = asyncio.run(check_hosts(inventory, checks=checks, bundle=bundle, deep=deep, fix=fix))
    found = document.document_of(checked)
    if junit_file is not None:
        _write(junit_file, junit.junit(found), "--junit")
    if html_file is not None:
        _write(html_file, render_preflight(msgspec.to_builtins(found)).encode(), "--html")
    click.echo(document.encode(found).decode() if as_json else terminal.render(found), nl=not as_json)
    return 0 if checked.sound else UNSOUND


def _write(file: Path, content: bytes, option: str) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}; name another file: {option}") from None
