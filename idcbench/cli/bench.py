"""``idcbench bench scheduler``: schedulers side by side on the workloads of scheduler_perf."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import click
import msgspec

from ..cluster import ClusterSpec
from ..errors import ClusterError, IdcError, UsageError
from ..progress import Progress
from ..provisioning.artifacts import provide
from ..provisioning.artifacts.own_go import own_program
from ..provisioning.embedded.benching import BenchArena
from ..provisioning.embedded.target import EmbeddedTarget
from ..runs.directory import Run, create_run
from ..runs.machine import software_versions
from ..runs.schema import TestCounts, Validity
from ..scheduler.bench import planning, table
from ..scheduler.bench.arena import Arena
from ..scheduler.bench.contenders import KUBE, OURS, Command, Contender, KubeScheduler, parsed
from ..scheduler.bench.memory import SOURCES, memory_arena
from ..scheduler.bench.objections import objections
from ..scheduler.bench.outcome import Measured
from ..scheduler.bench.rows import ROWS
from ..scheduler.bench.run import Bench
from .bench_run import write_samples
from .display import Display

FAILED, INVALID = 1, 7
CLUSTER = "bench-scheduler"
"""The embedded cluster's name; a second call at the same time is refused by its lock."""
ARENAS = {"real": ("real",), "memory": ("memory",), "both": ("real", "memory")}
OWN = (sys.executable, "-m", "idcbench.cli.main", "scheduler")
OWN_COMMAND = (*OWN, "run", "--kubeconfig", "{kubeconfig}", "--no-leader-elect", "--secure-port", "0")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measure what idcbench is made of."""


@bench.command()
@click.option(
    "--row", "rows", multiple=True, metavar="NAME", help=f"One of {', '.join(ROWS)}; several times [default: all]."
)
@click.option("--scheduler", "schedulers", multiple=True, metavar="NAME[=COMMAND]", help=(
    f"{KUBE}, {OURS}, or a name with the command that starts it, in which {{kubeconfig}} is replaced; several times "
    f"[default: {KUBE} and {OURS}]."))  # fmt: skip
@click.option("--against", type=click.Choice(list(ARENAS)), default="both", show_default=True, help=(
    "A real API server and etcd, our API server in memory, or both."))  # fmt: skip
@click.option("--rounds", type=int, help="Rounds of every row [default: 10 for basic-*, 3 for the others].")
@click.option("--scale", type=float, default=1.0, show_default=True, help="Multiply every count, for small machines.")
@click.option(
    "--arrivals",
    is_flag=True,
    help="Also let pods arrive at 0.5 and 0.8 of the highest rate that a lean client sustains.",
)
@click.option(
    "--arrival-seconds", type=float, default=planning.ARRIVAL_S, show_default=True, help="How long they arrive."
)
@click.option(
    "--kubernetes", default="1.37", show_default=True, metavar="VERSION", help="Of API server and kube-scheduler."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the order of rounds.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write every raw value there; - is standard output.",
)
def scheduler(
    rows: tuple[str, ...], schedulers: tuple[str, ...], against: str, rounds: int | None, scale: float, arrivals: bool,
    arrival_seconds: float, kubernetes: str, seed: int, json_file: Path | None,
) -> int:  # fmt: skip
    """Drain pods by each scheduler in turn, from the same state, in random order; compare rates, CPU and events.

    Exit code 1 when a round failed: a pod was placed where it must not be, or a scheduler got stuck; 7 when the figures
    are not valid, because other programs kept the machine busy.
    """
    texts = schedulers or (KUBE, OURS)
    names = planning.names([text.partition("=")[0] for text in texts])
    for text in texts:
        _check(text)
    _check_writable(json_file)
    chosen = dict(zip(names, texts, strict=True))
    wanted = planning.Wanted(
        rows=rows or tuple(ROWS),
        schedulers=names,
        arenas=ARENAS[against],
        scale=scale,
        rounds=rounds,
        arrivals=arrivals,
        arrival_s=arrival_seconds,
        seed=seed,
    )
    forecast_s = planning.forecast_s(wanted)
    ends = time.strftime("%H:%M", time.localtime(time.time() + forecast_s))
    click.echo(
        f"this takes about {planning.in_words(forecast_s)}, until {ends} (--rounds, --row and --scale shorten it)",
        err=True,
    )
    run = create_run(Path(".idcbench"), target_id="embedded", name="bench-scheduler")
    measured = asyncio.run(_measure(wanted, chosen, kubernetes, run, Display(sys.stderr)))
    return _tell(measured, wanted, run, json_file)


async def _measure(
    wanted: planning.Wanted, chosen: Mapping[str, str], kubernetes: str, run: Run, display: Display
) -> Measured:
    """Measure, and whatever happens keep what was measured until then."""
    binaries = await asyncio.to_thread(provide, kubernetes, progress=display)
    contenders = {name: _contender(text, binaries.folder) for name, text in chosen.items()}
    if any(text == OURS for text in chosen.values()):
        await _warm(display)
    versions = {"kubernetes": binaries.kubernetes, "etcd": binaries.etcd, **software_versions()}
    async with contextlib.AsyncExitStack() as stack:
        arenas = {
            name: await stack.enter_async_context(_arena(name, kubernetes, run, display)) for name in wanted.arenas
        }
        bench = Bench(
            wanted, arenas, contenders, folder=run.path / "logs", versions=versions, progress=display,
            say=lambda line: click.echo(line, err=True),
        )  # fmt: skip
        interrupted = True
        try:
            await bench.run()
            interrupted = False
        finally:
            display("")
            _keep(run, bench.measured(), wanted, interrupted=interrupted)
    return bench.measured()


async def _warm(progress: Progress) -> None:
    """Compile our scheduler's kernels unless they are kept, as setting it up does, so that no round waits for it."""
    progress("compiling the scheduler's kernels, unless they are kept")
    process = await asyncio.create_subprocess_exec(
        *OWN, "warm", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise ClusterError(f"`idcbench scheduler warm` ended with {process.returncode}: {said.decode().strip()[-500:]}")


@contextlib.asynccontextmanager
async def _arena(name: str, kubernetes: str, run: Run, progress: Progress) -> AsyncIterator[Arena]:
    if name == "memory":
        program = await asyncio.to_thread(own_program, SOURCES, progress=progress)
        async with memory_arena(program, folder=run.path, log=run.path / "logs/fakeapi.log") as memory:
            yield memory
        return
    spec = ClusterSpec(name=CLUSTER, control_planes=1, nodes=0, kubernetes=kubernetes, shape="bench")
    async with EmbeddedTarget(name=CLUSTER, progress=progress).cluster(spec, keep=False) as cluster:
        arena = BenchArena(cluster)
        await arena.keep("empty")
        yield arena


def _check(text: str) -> None:
    """Raise :class:`UsageError` for what names no scheduler."""
    if text in (KUBE, OURS):
        return
    if "=" not in text:
        raise UsageError(f"--scheduler {text}: wanted {KUBE}, {OURS} or NAME=COMMAND")
    program = parsed(text).words[0]
    if "{" not in program and shutil.which(program) is None:
        raise UsageError(f"--scheduler {text}: a program that can be run is wanted; found {program}")


def _check_writable(json_file: Path | None) -> None:
    """Raise :class:`UsageError` now for a file that could not be written after hours of measurement."""
    if json_file is None or str(json_file) == "-":
        return
    if json_file.is_dir() or not os.access(json_file if json_file.exists() else json_file.parent, os.W_OK):
        raise UsageError(f"--json {json_file}: a file in a folder that is there and can be written is wanted")


def _contender(text: str, binaries: Path) -> Contender:
    if text == KUBE:
        return KubeScheduler(binaries / "kube-scheduler")
    return Command(OURS, OWN_COMMAND) if text == OURS else parsed(text)


def _keep(run: Run, measured: Measured, wanted: planning.Wanted, *, interrupted: bool) -> None:
    """The raw values into the run directory: the JSON whole, and a series for each figure."""
    (run.path / "bench.json").write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=1))
    write_samples(run, measured)
    wrong = (*measured.failures, *objections(measured))
    run.finish(
        tests=TestCounts(),
        checks=(),
        facts={},
        options={"rows": wanted.rows, "scale": wanted.scale, "rounds": wanted.rounds, "seed": wanted.seed},
        validity=Validity(valid=not wrong, reasons=wrong),
        interrupted=interrupted,
    )


def _tell(measured: Measured, wanted: planning.Wanted, run: Run, json_file: Path | None) -> int:
    encoded = msgspec.json.format(msgspec.json.encode(measured), indent=1)
    if str(json_file) == "-":
        click.echo(encoded.decode())
    else:
        baseline = KUBE if KUBE in wanted.schedulers else wanted.schedulers[0]
        click.echo(table.rendered(measured, baseline=baseline))
        click.echo(f"\nraw values: {run.path / 'bench.json'}")
        if json_file is not None:
            try:
                json_file.write_bytes(encoded)
            except OSError as error:
                raise IdcError(f"--json {json_file}: {error.strerror}") from error
    if measured.failures:
        return FAILED
    return INVALID if objections(measured) else 0
