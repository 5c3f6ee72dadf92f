"""The option table as click options, for ``idcbench up`` (``--X``) and ``idcbench run`` (``--X`` and ``--idc-X``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from ..options import OPTIONS, Option, Settings, settings

Command = TypeVar("Command", bound=Callable[..., Any])


def up_options(command: Command) -> Command:
    """Decorate a command with the options of a cluster, as ``--X``; read the keywords by :func:`read_settings`."""
    return _with([option for option in OPTIONS if option.up], command, both=False)


def run_options(command: Command) -> Command:
    """Decorate a command with all options, as ``--X`` and as ``--idc-X``."""
    return _with(OPTIONS, command, both=True)


def read_settings(values: Mapping[str, Any]) -> Settings:
    """Parse the keywords of a decorated command, ``target`` among them. Raises :class:`click.UsageError`."""
    try:
        return settings(values, spell=lambda option: f"--{option.name}" if option in OPTIONS else "TARGET")
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _with(options: Any, command: Command, *, both: bool) -> Command:
    for option in reversed(tuple(options)):
        command = click.option(*_names(option, both=both), **_attributes(option))(command)
    return command


def _names(option: Option, *, both: bool) -> list[str]:
    return [option.dest, f"--{option.name}", *([option.pytest_flag] if both else [])]


def _attributes(option: Option) -> dict[str, Any]:
    default = f" [default: {option.default}]" if option.default and not option.flag else ""
    shared: dict[str, Any] = {"help": option.help + default}
    if option.flag:
        return shared | {"is_flag": True, "default": False}
    return shared | {"metavar": option.metavar, "multiple": option.many}
