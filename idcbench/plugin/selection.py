"""Which tests run: the user's paths, packaged suites, or both."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from ..options import Settings
from .packaged import as_packaged, collectors, packaged_ids


class Selection:
    """Takes what means packaged tests out of pytest's arguments, and collects it beside the rest.

    Nothing but ``--idc-target``: all packaged suites, also where ini sets testpaths. A path: that. ``--idc-suite``:
    those suites, and a path if one is given. A target from the ini file alone changes nothing of what runs.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        given = config.args_source is pytest.Config.ArgsSource.ARGS
        if not given and not settings.suite and not config.option.idc_target:
            self.packaged: tuple[str, ...] = ()
            return
        args = config.args if given else []
        said = {arg: as_packaged(arg, from_folder=config.invocation_params.dir) for arg in args}
        wanted = [nodeid for nodeid in said.values() if nodeid]
        if settings.suite or not given:
            wanted += packaged_ids(settings.suite)
        self.packaged = tuple(dict.fromkeys(wanted))
        config.args = [arg for arg, nodeid in said.items() if nodeid is None]
        config.args_source = pytest.Config.ArgsSource.ARGS

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if isinstance(collector, pytest.Session) and report.passed and self.packaged:
            report.result = [*(report.result or []), *collectors(collector, self.packaged)]
        return report
