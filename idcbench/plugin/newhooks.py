"""The hooks that idcbench adds to pytest, for conftest files and other plugins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..cluster import Target
    from ..progress import Progress
    from ..runs.handover import Round


@pytest.hookspec(firstresult=True)
def pytest_idc_target(config: pytest.Config, target: str) -> Target | None:
    """Provide the target that ``--idc-target=TARGET`` names, or ``None`` when the name is not yours.

    Called once in ``pytest_configure``, not in xdist workers, which reach the controller's cluster. idcbench's own
    targets are asked last. May raise :class:`idcbench.errors.UsageError`.
    """


@pytest.hookspec(firstresult=True)
def pytest_idc_progress(config: pytest.Config) -> Progress | None:
    """Say who shows what is being waited for (``idcbench.progress``); idcbench's own display is asked last.

    Called once in ``pytest_configure``, not in xdist workers. A step named ``""`` means that nothing is waited for.
    """


@pytest.hookspec(firstresult=True)
def pytest_idc_round(config: pytest.Config) -> Round | None:
    """Say that this session is one round of a run that is there and goes on after it; without one it makes a run.

    Called once in ``pytest_configure``, not in xdist workers. The session then waits until the cluster is steady,
    brackets its tests by ``round-began`` and ``round-ended``, and leaves its checks for who finishes the run.
    """


@pytest.hookspec
def pytest_idc_run_finished(config: pytest.Config, path: Path) -> None:
    """Called when the run directory ``path`` is complete, after the cluster is gone; not in xdist workers."""
