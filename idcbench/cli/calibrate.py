"""`idcbench calibrate`: how far off the instrument is, on servers whose behaviour is known."""

from __future__ import annotations

import click

INVALID = 7


@click.command()
@click.option("--seconds", default=8.0, show_default=True, type=click.FloatRange(4, 600), help="How long each takes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
def calibrate(seconds: float, as_json: bool) -> int:
    """Try the load instrument on servers with known delays, stalls and losses, and print the error of each measure.

    And the highest rate at which one load process keeps its times, over HTTP/1.1 and HTTP/2: the highest that was ever
    found is kept, and plans above it are refused.

    Exit code 7 when one is further off than it may be: what is measured on this machine, now, is not to be trusted.
    """
    import msgspec
    from tabulate import tabulate

    from ..measure.calibration import calibrate as readings
    from ..measure.ceiling import MOST_PER_S, measure_ceiling

    found = list(readings(seconds=seconds, tell=lambda what: click.echo(f"trying {what}", err=True)))
    click.echo("trying how much a load process sends", err=True)
    ceilings = {http: measure_ceiling(http) for http in MOST_PER_S}
    if as_json:
        said = {"readings": found, "ceilings": ceilings}
        click.echo(msgspec.json.format(msgspec.json.encode(said), indent=1).decode())
    else:
        rows = [
            (
                one.measure, f"{one.truth:.4g}", f"{one.measured:.4g}", one.unit, f"{one.error:+.3g}",
                "" if one.limit is None else f"{one.limit:g}", "" if one.good else "too far off", one.note,
            )
            for one in found
        ]  # fmt: skip
        heads = ("measure", "truth", "measured", "", "error", "allowed", "", "")
        click.echo(tabulate(rows, headers=heads, disable_numparse=True, colalign=("left", *["right"] * 2, "left")))
        for http, ceiling in ceilings.items():
            click.echo(f"one load process keeps its times up to {ceiling.rate_per_s:.0f}/s over HTTP/{http}")
    return 0 if all(one.good for one in found) else INVALID
