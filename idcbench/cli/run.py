"""``idcbench run``: pytest with the plugin, shut off from the directory that it is started in; then the report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ..errors import IdcError
from ..options import OPTIONS, Settings
from ..plugin.packaged import PACKAGE, ROOT, as_packaged, path_of, suite_names
from .options import read_settings, run_options

INI = Path(__file__).with_name("run.ini")
VALUED = frozenset(
    {"-k", "-m", "-n", "-o", "-p", "-r", "-W", "-c", "--deselect", "--durations", "--ignore", "--ignore-glob",
     "--junit-xml", "--log-level", "--maxfail", "--numprocesses", "--override-ini", "--tb", "--timeout"}
)  # fmt: skip
"""pytest's options after which a value may stand as a word of its own, which is no path then."""
XDIST = ("-n", "--numprocesses", "--dist", "--tx", "-d")
DEFAULT_TARGET = "embedded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The words that are not ours: the user's own paths, packaged tests by node id, all words as pytest gets them."""

    paths: tuple[Path, ...]
    packaged: tuple[str, ...]
    words: tuple[str, ...]


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 passed, 1 a test failed, 2 interrupted, 3 bug, 4 usage, 5 nothing ran or all was skipped, "
    "6 no cluster could be provided, 7 the run is invalid.",
)
@run_options
@click.option("target", "--target", "--idc-target", metavar="TARGET", help="the target, where it cannot stand first")
@click.option("ab", "--ab", metavar="KEY=a,b", help="alternate rounds of two clusters that differ in this, and compare")
@click.option("--rounds", type=click.IntRange(1), metavar="N", help="rounds of each side, with --ab [default: 10]")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[TARGET] [PATH|PYTEST-OPTION]...")
def run(words: tuple[str, ...], ab: str | None, rounds: int | None, **values: Any) -> int:
    """Bring a cluster up, run tests on it, write the report.

    TARGET is embedded unless said. Without a PATH the packaged suites run. Whatever is not an option of idcbench goes
    to pytest. The ini file, addopts, plugins and conftest.py of this directory are not used; of a PATH, the
    conftest.py files beside and below it are.
    """
    values["target"], words = _target(values["target"], words)
    asked = read_settings(values)
    unknown = [name for name in asked.suite if name not in suite_names()]
    if unknown:
        raise click.UsageError(f"--suite {unknown[0]}: there is no such suite; there are {', '.join(suite_names())}")
    rest = read_rest(words, folder=Path.cwd())
    if ab is not None:
        from .ab import run_ab

        return run_ab(ab, rounds, asked, rest)
    if rounds is not None:
        raise click.UsageError("--rounds counts those of --ab KEY=a,b; repetitions of a fault are --repeat")
    return _run(asked, rest)


def _target(said: str | None, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The first word is the target, unless it is an option or a path of tests."""
    first = words[0] if words else ""
    is_test = first.startswith("-") or "/" in first or "::" in first or Path(first).exists()
    is_inventory = first.endswith((".yaml", ".yml"))
    if said or not first or (is_test and not is_inventory):
        return said or DEFAULT_TARGET, words
    return first, words[1:]


def read_rest(words: Sequence[str], *, folder: Path) -> Rest:
    """Tell paths and packaged tests from options; node ids of packaged tests become paths that pytest finds."""
    paths: list[Path] = []
    packaged: list[str] = []
    handed: list[str] = []
    value_of = ""
    for word in words:
        is_value, value_of = value_of in VALUED, word
        nodeid = None if is_value or word.startswith("-") else as_packaged(word, from_folder=folder)
        handed.append("::".join((str(path_of(nodeid)), *nodeid.split("::")[1:])) if nodeid else word)
        if nodeid:
            packaged.append(nodeid)
        elif not is_value and not word.startswith("-") and (folder / word.partition("::")[0]).exists():
            paths.append(folder / word.partition("::")[0])
    return Rest(paths=tuple(paths), packaged=tuple(packaged), words=tuple(handed))


def pytest_arguments(asked: Settings, rest: Rest, *, folder: Path) -> list[str]:
    """The command line for pytest."""
    arguments = ["-c", str(INI), f"--rootdir={folder}", f"--confcutdir={_confcutdir(rest)}", "-v"]
    arguments += ["-p", "no:cacheprovider", "-p", "idcbench.plugin.entry"]
    if any(word.startswith(XDIST) for word in rest.words):
        arguments += ["-p", "xdist.plugin"]
    arguments.append(f"--idc-target={asked.target}")
    for option in OPTIONS:
        if option.dest not in asked.given:
            continue
        value = getattr(asked, option.dest)
        values = value if option.many else (value,)
        arguments += [option.pytest_flag] if option.flag else [f"{option.pytest_flag}={each}" for each in values]
    arguments += rest.words
    if not rest.paths and not rest.packaged:  # named, so that pytest does not read this directory's conftest.py
        arguments += [str(ROOT / name) for name in asked.suite or suite_names()]
    return arguments


def _confcutdir(rest: Rest) -> Path:
    """Above it no conftest.py is read: the folder that the user's paths share, or else this package."""
    folders = [str(path if path.is_dir() else path.parent) for path in rest.paths]
    return Path(os.path.commonpath(folders)) if folders else PACKAGE


def _run(asked: Settings, rest: Rest) -> int:
    import pytest

    from .live import LiveRun

    shut_off()
    shown = LiveRun()
    code = int(pytest.main(pytest_arguments(asked, rest, folder=Path.cwd()), plugins=[shown]))
    if shown.path is None:
        return code
    try:
        _report(shown.path)
    except IdcError as error:  # the tests' own code matters more
        click.echo(f"error: {error}", err=True)
        return code or error.exit_code
    return code


def shut_off() -> None:
    """Let nothing of the environment add to pytest; what this process starts inherits that."""
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ.pop("PYTEST_PLUGINS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"


def _report(path: Path) -> None:
    """Write the report; say the run in figures, and last where the report is."""
    from ..reports.model import report_of
    from ..reports.terminal import render_terminal
    from ..reports.write import write_report
    from ..runs.directory import open_run

    file = write_report(path)
    click.echo("\n" + render_terminal(report_of(open_run(path))))
    click.echo(os.path.relpath(file))
