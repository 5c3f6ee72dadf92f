"""The etcd that leads crashes."""

from __future__ import annotations

import pytest

from idcbench.measure.probe import Prober
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record

from .drill import Fault, Range
from .members import leader
from .proof import prove
from .recording import Recorder
from .repeating import pytest_generate_tests

__all__ = ["pytest_generate_tests"]
COMPONENT = "etcd"


@pytest.mark.idc(proves="api", needs=["host-faults"])
@pytest.mark.idc_disruptive
@pytest.mark.idc_measuring
def test_etcd_leader_killed(idc_cluster: LiveCluster, idc_probe: Prober, idc_record: Record, repetition: int) -> None:
    """A crash of the etcd leader loses no acknowledged write, another leads, and the member catches up."""
    ground, recorder = Range(idc_cluster, idc_probe), Recorder(idc_record.run)
    recorder.measure_probe_once(idc_probe, ground)
    ground.make_ready()
    leading = leader(idc_cluster.access, ground.members)
    assert leading is not None, "etcd has no leader though every member is ready"
    fault = Fault(
        log="etcd-leader-kill",
        labels={"fault": "etcd-leader-kill"},
        host=leading.name,
        component=COMPONENT,
        verb="kill",
        action="killed while it led",
        seen=("gone",),
        act=lambda: idc_cluster.faults.kill(leading.name, COMPONENT),
    )
    drilled = ground.drill(fault)
    recorder.keep(drilled, repetition, ground=ground)
    prove(drilled)
