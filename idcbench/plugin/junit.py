"""junit.xml of the run: written by pytest's own junitxml, whose file is only known when the run directory is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from _pytest.junitxml import LogXML, xml_key

UNKNOWN = os.devnull


class Junit:
    """Turns junitxml on, or joins in when the user did."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._own = getattr(config.option, "xmlpath", "") is None
        if self._own:
            config.option.xmlpath = UNKNOWN

    def finish(self, file: Path | None) -> None:
        """Before junitxml writes: say where to; without a run its own file is written nowhere."""
        log = self._config.stash.get(xml_key, None)
        if self._own and isinstance(log, LogXML) and file is not None:
            log.logfile = str(file)

    def written(self, file: Path | None) -> None:
        """After junitxml wrote: copy the user's file into the run; of ours, the terminal need not say anything."""
        log = self._config.stash.get(xml_key, None)
        if not isinstance(log, LogXML):
            return
        if self._own:
            self._config.pluginmanager.unregister(log)
            del self._config.stash[xml_key]
        elif file is not None and Path(log.logfile).is_file():
            shutil.copyfile(log.logfile, file)
