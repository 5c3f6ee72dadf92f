#!/usr/bin/env python3
"""How often the load named standard is valid, and what measuring it costs: round after round on one cluster.

    scripts/standard_runs.py [--rounds 20] [--scale 1] [--nodes N] [--name NAME] [--control-planes 3] [--down]

Brings one cluster up, with as many nodes as the load wants at that scale unless told otherwise, and keeps it; then runs
the test of the standard load so often, each time as a pytest of its own. Interrupted and called again with the same
name, it goes on after the last finished round; --down takes the cluster away at the end.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path

from tabulate import tabulate

from idcbench.errors import RunError
from idcbench.measure.standard import DURATION_S, NODES
from idcbench.runs.directory import open_run
from idcbench.runs.schema import Metric, RunDocument

TEST = "idcbench/suites/performance/test_standard_load.py"
LEAVE_S = 120.0
"""What an interrupted round may take to remove what it made; subprocess.run would kill it after 0.25 s."""
INTERRUPTED = 128 + signal.SIGINT
COLUMNS = ("round", "valid", "harness share", "harness cores", "load lag p99, ms", "watch lag p99, ms", "why not")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--nodes", type=int)
    parser.add_argument("--name", default="standard")
    parser.add_argument("--control-planes", type=int, default=3)
    parser.add_argument("--down", action="store_true")
    given = parser.parse_args()
    run_name, interrupted = f"standard-{given.scale:g}", False
    try:
        while len(done := finished(given.name, run_name)) < given.rounds:
            print(f"round {len(done) + 1} of {given.rounds}", flush=True)
            one_round(given, run_name)
            if len(finished(given.name, run_name)) == len(done):
                sys.exit("the round did not finish; what it said is above")
    except KeyboardInterrupt:
        interrupted = True
        print("interrupted; called again, it goes on with the next round")
    if done := finished(given.name, run_name):
        report(done[: given.rounds], given)
    if given.down:
        subprocess.run([sys.executable, "-m", "idcbench.cli.main", "down", "--name", given.name], check=True)
    if interrupted:
        sys.exit(INTERRUPTED)


def one_round(given: argparse.Namespace, run_name: str) -> None:
    """The test of the standard load in a pytest of its own, on a cluster that stays."""
    nodes = round(NODES * given.scale) if given.nodes is None else given.nodes
    options = {
        "target": "embedded", "name": given.name, "control-planes": given.control_planes, "nodes": nodes,
        "scale": given.scale, "run-name": run_name,
    }  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", TEST, "--idc-keep", "-p", "no:cacheprovider"]
    with subprocess.Popen(
        [*command, *(f"--idc-{name}={value}" for name, value in options.items())],
        env={name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
    ) as pytest:
        try:
            pytest.wait(DURATION_S * given.scale + 900)
        except KeyboardInterrupt:  # which the terminal sent it too
            pytest.wait(LEAVE_S)
            raise
        except subprocess.TimeoutExpired:
            pytest.kill()


def finished(name: str, run_name: str) -> list[RunDocument]:
    """The rounds that came to their end, oldest first; a round that was interrupted is none."""
    documents = []
    for path in sorted(Path(".idcbench", f"embedded-{name}").glob(f"[0-9]*_{run_name}")):
        try:
            document = open_run(path).document()
        except RunError:
            continue
        if not document.interrupted and figure(document, "measure.harness_share") is not None:
            documents.append(document)
    return documents


def report(rounds: list[RunDocument], given: argparse.Namespace) -> None:
    rows = [
        (
            number, "yes" if one.valid and not one.tests.failed else "no", value(one, "measure.harness_share", "p50"),
            value(one, "measure.harness_cpu", "p50"), value(one, "measure.load_lag", "p99"),
            value(one, "measure.watch_lag", "p99"), "; ".join(one.invalid_because),
        )
        for number, one in enumerate(rounds, 1)
    ]  # fmt: skip
    print(tabulate(rows, headers=COLUMNS, floatfmt=".4f", maxcolwidths=[None] * (len(COLUMNS) - 1) + [60]))
    shares = [row[2] for row in rows if row[2] is not None]
    lags = [row[4] for row in rows if row[4] is not None]
    valid = sum(row[1] == "yes" for row in rows)
    print(
        f"standard load, scale {given.scale:g}, {given.control_planes} members: {valid} of {len(rows)} rounds valid;"
        f" harness CPU {statistics.median(shares):.1%} of the control plane's ({min(shares):.1%} – {max(shares):.1%})"
        + (f"; p99 of the load's lag at most {max(lags):.1f} ms" if lags else "")
    )


def figure(document: RunDocument, name: str) -> Metric | None:
    return next((metric for metric in document.metrics if metric.name == name), None)


def value(document: RunDocument, name: str, statistic: str) -> float | None:
    found = figure(document, name)
    return None if found is None else getattr(found, statistic)


if __name__ == "__main__":
    main()
