"""An API server crashes on the host that holds the virtual IP."""

from __future__ import annotations

import pytest

from idcbench.measure.probe import Prober
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record

from .drill import Fault, Range
from .proof import prove
from .recording import Recorder
from .repeating import pytest_generate_tests

__all__ = ["pytest_generate_tests"]
COMPONENT = "kube-apiserver"


@pytest.mark.idc(proves="api", needs=["host-faults"])
@pytest.mark.idc_disruptive
@pytest.mark.idc_measuring
def test_apiserver_killed_on_the_host_with_the_virtual_ip(
    idc_cluster: LiveCluster, idc_probe: Prober, idc_record: Record, repetition: int
) -> None:
    """A crash of the API server beside the virtual IP loses no acknowledged write, and the server comes back."""
    ground, recorder = Range(idc_cluster, idc_probe), Recorder(idc_record.run)
    recorder.measure_probe_once(idc_probe, ground)
    host = ground.make_ready()
    fault = Fault(
        log="apiserver-kill",
        labels={"fault": "apiserver-kill"},
        host=host,
        component=COMPONENT,
        verb="kill",
        action="killed",
        seen=("gone",),
        act=lambda: idc_cluster.faults.kill(host, COMPONENT),
    )
    drilled = ground.drill(fault)
    recorder.keep(drilled, repetition, ground=ground)
    prove(drilled)
