"""What pytest loads at every start: options, markers, fixtures' names. It imports nothing heavy.

The plugin proper (`session.py`) is imported and registered in ``pytest_configure``, only when a target is given.
"""

from __future__ import annotations

from typing import Any

import pytest

from ..options import OPTIONS, TARGET, Option, Settings, settings
from . import newhooks
from .fixtures import (
    idc_client,
    idc_cluster,
    idc_hosts,
    idc_probe,
    idc_progress,
    idc_record,
    idc_repeat,
    idc_scale,
    idc_testinfra,
)
from .marks import DESCRIPTIONS

__all__ = [
    "idc_client",
    "idc_cluster",
    "idc_hosts",
    "idc_probe",
    "idc_progress",
    "idc_record",
    "idc_repeat",
    "idc_scale",
    "idc_testinfra",
]


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(newhooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("idcbench", "Kubernetes clusters to test, break and measure (idcbench)")
    for option in (TARGET, *OPTIONS):
        group.addoption(option.pytest_flag, dest=option.pytest_dest, help=_help(option), **_argparse(option))
        if option.ini:
            parser.addini(option.pytest_dest, f"default of {option.pytest_flag}")


def _argparse(option: Option) -> dict[str, Any]:
    if option.flag:
        return {"action": "store_true"}
    action = "append" if option.many else "store"
    return {"action": action, "metavar": option.metavar, "default": None}


def _help(option: Option) -> str:
    default = f" (default: {option.default})" if option.default and not option.flag else ""
    return option.help + default + ("; also in ini" if option.ini else "")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and, with a target, the plugin proper. Before junitxml's, whose file goes into the run."""
    for description in DESCRIPTIONS:
        config.addinivalue_line("markers", description)
    if config.option.idc_target is None and not config.getini(TARGET.pytest_dest):
        for option in OPTIONS:
            if config.getoption(option.pytest_dest):
                flag = option.pytest_flag
                raise pytest.UsageError(f"{flag} needs --idc-target: type `pytest --idc-target=embedded {flag}…`")
    else:
        from .session import register

        register(config, read_settings(config))


def read_settings(config: pytest.Config) -> Settings:
    """The options of the command line, then of the ini file. Raises :class:`pytest.UsageError`."""
    raw: dict[str, Any] = {}
    spelt: dict[str, str] = {}
    for option in (TARGET, *OPTIONS):
        given, spelling = config.getoption(option.pytest_dest), option.pytest_flag
        if not given and given != "" and option.ini:
            given, spelling = config.getini(option.pytest_dest) or None, f"{config.inipath}: {option.pytest_dest}"
        raw[option.dest], spelt[option.dest] = given, spelling
    try:
        return settings(raw, spell=lambda option: spelt[option.dest])
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
