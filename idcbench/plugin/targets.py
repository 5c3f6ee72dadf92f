"""idcbench's own answers to its hooks, asked after everybody else's."""

from __future__ import annotations

import pytest

from ..cluster import Target
from ..errors import IdcError
from ..progress import Progress
from .stash import ASKED


@pytest.hookimpl(trylast=True)
def pytest_idc_target(config: pytest.Config, target: str) -> Target:
    """The targets under ``idcbench.provisioning``. Raises :class:`pytest.UsageError` for one that is not there."""
    from ..provisioning.targets import find_target

    asked = config.stash[ASKED]
    try:
        return find_target(target, options=asked.settings.target_options(), progress=asked.progress)
    except IdcError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(trylast=True)
def pytest_idc_progress(config: pytest.Config) -> Progress:
    """On the terminal that pytest was started on, past its capturing."""
    from ..cli.live import display_beside

    return display_beside(config)
