"""The fixtures for users' own tests. All are synchronous; a conftest.py may override any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..kube.crud import Client
    from ..progress import Progress
    from .live import LiveCluster, LiveHost
    from .record import Record
    from .running import Running

PLUGIN = "idcbench-session"
NO_TARGET = "needs a cluster: type `pytest --idc-target=embedded` (or set idc_target in the ini file)"


def _session(request: pytest.FixtureRequest) -> Running:
    session: Running | None = request.config.pluginmanager.get_plugin(PLUGIN)
    if session is None:
        pytest.fail(f"idc_cluster {NO_TARGET}", pytrace=False)
    return session


@pytest.fixture(scope="session")
def idc_cluster(request: pytest.FixtureRequest) -> LiveCluster:
    """The cluster: ``facts``, ``access``, ``capabilities``, ``hosts`` (each with ``run``) and ``faults``.

    Brought up once, before the first test that needs it. ``faults`` belongs to tests marked ``idc_disruptive``.
    """
    return _session(request).live()


@pytest.fixture(scope="session")
def idc_hosts(idc_cluster: LiveCluster) -> tuple[LiveHost, ...]:
    """The control-plane hosts, each with ``name``, ``address`` and ``run(*argv, timeout_s=30)``."""
    return idc_cluster.hosts


@pytest.fixture(scope="session")
def idc_testinfra() -> Callable[[LiveHost], Any]:
    """testinfra on a host: ``idc_testinfra(host).service("kubelet").is_running``; needs the extra ``testinfra``."""
    try:
        from .testinfra_backend import testinfra_of
    except ImportError:
        pytest.skip("needs testinfra: pip install 'idcbench[testinfra]'")
    return testinfra_of


@pytest.fixture(scope="session")
def idc_client(idc_cluster: LiveCluster) -> Iterator[Client]:
    """Creates, reads, changes and deletes objects as plain dictionaries; see ``idcbench.kube.crud.Client``."""
    from ..kube.crud import Client

    with Client(idc_cluster.access) as client:
        yield client


@pytest.fixture(scope="session")
def idc_probe(idc_cluster: LiveCluster) -> Any:
    """Starts open-loop probes of the cluster's endpoint in a process of their own; ``idcbench.measure.probe``."""
    from ..measure.probe import Prober

    return Prober(idc_cluster.access)


@pytest.fixture(scope="session")
def idc_record(request: pytest.FixtureRequest, idc_cluster: LiveCluster) -> Record:  # noqa: ARG001 - brings up the run
    """Records a value: ``idc_record("rollout", 2.31, unit="s", better="lower", labels={"replicas": "3"})``.

    ``idc_record.run`` is the run (`idcbench.runs`), for series of many values and lines of the timeline.
    """
    return _session(request).record()


@pytest.fixture(scope="session")
def idc_progress(request: pytest.FixtureRequest, idc_cluster: LiveCluster) -> Progress:  # noqa: ARG001 - as above
    """Says what a long test waits for: ``idc_progress("member catches up", done=3, total=10, unit="s")``."""
    return _session(request).progress


@pytest.fixture(scope="session")
def idc_repeat(request: pytest.FixtureRequest) -> int:
    """How often a fault is to be repeated (``--idc-repeat``)."""
    return _session(request).settings.repeat


@pytest.fixture(scope="session")
def idc_scale(request: pytest.FixtureRequest) -> float:
    """The share of the stated sizes at which a performance test is to run (``--idc-scale``)."""
    return _session(request).settings.scale
