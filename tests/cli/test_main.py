"""``idcbench`` itself: its help, its errors, and that nothing is imported that is not used."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from idcbench.cli import main as main_module
from idcbench.cli.main import COMMANDS, Lazy, main
from idcbench.errors import ClusterError


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> list[Exception | int | None]:
    """A command ``probe`` that raises, or returns, what the list holds."""
    outcome: list[Exception | int | None] = [None]

    @click.command()
    @click.option("--number", type=int)
    def command(number: int) -> int | None:  # noqa: ARG001
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    monkeypatch.setattr(Lazy, "load", lambda _self: command)
    monkeypatch.setitem(main_module.COMMANDS, "probe", Lazy("none", "none", "A probe."))
    return outcome


def test_help_names_all_commands_and_imports_none() -> None:
    code = (
        "import sys; from idcbench.cli.main import main; main(['--help']);"
        "heavy = {'pytest', 'numpy', 'aiohttp', 'kubernetes', 'rich', 'msgspec', 'idcbench.cli.run'};"
        "print('heavy:', sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "heavy: []" in said
    for name, command in COMMANDS.items():
        assert f"  {name} " in said
        assert command.help in said


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_there_under_its_name(name: str) -> None:
    assert isinstance(COMMANDS[name].load(), click.Command)


@pytest.mark.parametrize(
    ("outcome", "code", "said"),
    [
        (None, 0, ""),
        (7, 7, ""),
        (ClusterError("host cp2 is gone; start it"), 6, "error: host cp2 is gone; start it\n"),
        (click.UsageError("two names were given"), 4, "error: two names were given (see `idcbench probe --help`)\n"),
        (click.Abort(), 2, "interrupted\n"),
    ],
)
def test_exit_codes_and_one_line_errors(
    probe: list[object], capsys: pytest.CaptureFixture[str], outcome: object, code: int, said: str
) -> None:
    probe[0] = outcome
    assert main(["probe"]) == code
    assert capsys.readouterr().err == said


def test_a_bug_has_its_traceback(probe: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    probe[0] = ZeroDivisionError("oh")
    assert main(["probe"]) == 3
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "bug of idcbench" in said


@pytest.mark.parametrize("args", [["probe", "--number", "x"], ["probe", "--nope"], ["probe", "extra"], ["nope"]])
@pytest.mark.usefixtures("probe")
def test_usage_errors_are_code_4_and_name_the_help(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(args) == 4
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "--help`)" in said
    assert said.count("\n") == 1


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("idcbench, version ")
