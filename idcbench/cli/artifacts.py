"""`idcbench artifacts`: the programs that clusters are made of, as they lie in the cache."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import click
from tabulate import tabulate

from ..errors import ArtifactError, UsageError
from ..provisioning.artifacts import SourceOptions, provide
from ..provisioning.artifacts.options import default_cache, default_mirror
from ..provisioning.artifacts.parts import machine_arch, parts_of
from ..provisioning.artifacts.store import Entry, Store
from ..provisioning.artifacts.upkeep import prune, verify
from ..provisioning.artifacts.versions import DEFAULT, existing, resolve

_EACH_S = 10.0


@click.group(name="artifacts")
def artifacts() -> None:
    """The binaries of Kubernetes, etcd and KWOK in the cache."""


@artifacts.command(name="list")
@click.option("--digests", is_flag=True, help="Print sha256 and path of each program, as `sha256sum --check` reads it.")
def list_command(digests: bool) -> None:
    """List what is cached: versions, sizes, where it is from, digests."""
    store = Store(default_cache())
    entries = store.entries()
    if digests:
        for entry in entries:
            for name, facts in entry.manifest.files.items():
                click.echo(f"{facts.sha256}  {entry.folder / name}")
    elif entries:
        click.echo(
            tabulate([row for entry in entries for row in _rows(entry)], headers=_HEADERS, disable_numparse=True)
        )
    else:
        click.echo(f"nothing is cached in {store.root}; `idcbench artifacts get` provides {DEFAULT}")


@artifacts.command(name="get")
@click.argument("version", default=DEFAULT)
@click.option("--artifacts", "directory", type=click.Path(path_type=Path), help="A directory with your own binaries.")
@click.option("--mirror", metavar="URL", help="A copy of the official releases (default: $IDCBENCH_MIRROR).")
@click.option("--no-download", is_flag=True, help="Do not use official releases or a mirror.")
@click.option("--no-build", is_flag=True, help="Do not compile from Go modules.")
def get_command(version: str, directory: Path | None, mirror: str | None, no_download: bool, no_build: bool) -> None:
    """Provide the binaries of a Kubernetes VERSION (1.37, 1.37.2) and of the etcd and KWOK that go with it."""
    options = SourceOptions(
        directory=directory, mirror=mirror or default_mirror(), download=not no_download, build=not no_build
    )
    got = provide(version, options=options, progress=Steps())
    click.echo(f"Kubernetes {got.kubernetes}, etcd {got.etcd}, KWOK {got.kwok}: {got.provenance}")
    click.echo(str(got.folder))


@artifacts.command(name="verify")
@click.argument("version", required=False)
def verify_command(version: str | None) -> None:
    """Read all programs again and compare their digests; what is damaged is not used any more."""
    store = Store(default_cache())
    verdicts = verify(store, _chosen(store, version), progress=Steps())
    for verdict in verdicts:
        state = f"DAMAGED: {', '.join(verdict.damaged)}" if verdict.damaged else "ok"
        click.echo(f"{verdict.entry.manifest.part} {verdict.entry.manifest.version} {verdict.entry.folder}: {state}")
    if damaged := [verdict for verdict in verdicts if verdict.damaged]:
        raise ArtifactError(
            f"{len(damaged)} of {len(verdicts)} entries of the cache are damaged and will not be used; "
            f"`idcbench artifacts get {version or DEFAULT}` provides them anew, `idcbench artifacts prune` removes them"
        )


@artifacts.command(name="prune")
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="How many of each to keep, last used first.",
)
def prune_command(keep: int) -> None:
    """Remove old versions, and what is damaged or unfinished."""
    done = prune(Store(default_cache()), keep=keep)
    for one in done:
        click.echo(
            f"kept {one.what}: {one.reason}" if one.reason else f"removed {one.what}: {_megabytes(one.size_bytes)}"
        )
    freed_bytes = sum(one.size_bytes for one in done if not one.reason)
    click.echo(f"{_megabytes(freed_bytes)} freed")


_HEADERS = ("part", "version", "size", "from", "last used", "programs", "sha256")


def _rows(entry: Entry) -> list[tuple[str, ...]]:
    """One row per different program; what several names lead to is one."""
    names: dict[str, list[str]] = {}
    for name, facts in entry.manifest.files.items():
        names.setdefault(facts.sha256, []).append(name)
    used = datetime.fromtimestamp(entry.used_at).strftime("%Y-%m-%d %H:%M")
    facts_by_digest = {facts.sha256: facts for facts in entry.manifest.files.values()}
    return [
        (
            entry.manifest.part,
            entry.manifest.version,
            _megabytes(facts_by_digest[digest].size_bytes),
            entry.manifest.provenance,
            used,
            called[0] if len(called) == 1 else f"{called[0]} and {len(called) - 1} more names",
            f"{digest[:12]}…",
        )
        for digest, called in names.items()
    ]


def _chosen(store: Store, version: str | None) -> list[Entry]:
    """The entries of a Kubernetes version and of what goes with it, or all. Raises UsageError when there are none."""
    entries = store.entries()
    if version is not None:
        keys = {(part.name, part.version) for part in parts_of(resolve(version), machine_arch())}
        entries = [entry for entry in entries if (entry.manifest.part, entry.manifest.version) in keys]
        if not any(entry.manifest.part == "kubernetes" for entry in entries):
            raise UsageError(f"Kubernetes {version} is not cached; `idcbench artifacts get {version}` provides it")
    if not entries:
        raise UsageError(f"nothing is cached in {store.root}; `idcbench artifacts get` provides one of {existing()}")
    return entries


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"


class Steps:
    """Progress as lines on stderr: one per step, then one each ten seconds."""

    def __init__(self) -> None:
        self._what = ""
        self._said_at = 0.0
        self._began_at = 0.0

    def __call__(self, what: str, *, done: float = 0, total: float | None = None, unit: str = "") -> None:
        """Take one line about the step at work."""
        now = time.monotonic()
        if what != self._what:
            self._what, self._began_at = what, now
            click.echo(what, err=True)
        elif now - self._said_at >= _EACH_S:
            amount = f"{done:.0f} {unit}" if total is None else f"{done:.0f} of {total:.0f} {unit}"
            click.echo(f"  {now - self._began_at:.0f} s, {amount}", err=True)
        else:
            return
        self._said_at = now
