"""The control-plane host that holds the virtual IP is lost, and comes back."""

from __future__ import annotations

import pytest

from idcbench.cluster import Link
from idcbench.measure.probe import Prober
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record

from .drill import Fault, Range
from .members import leader
from .proof import prove
from .recording import Recorder
from .repeating import pytest_generate_tests

__all__ = ["pytest_generate_tests"]
ACTIONS: dict[Link, str] = {
    "no-carrier": "link lost, the host sees it",
    "silent": "frames vanish, the host does not see it",
}


@pytest.mark.idc(proves="api", needs=["host-faults"])
@pytest.mark.idc_disruptive
@pytest.mark.idc_measuring
@pytest.mark.parametrize("way", [pytest.param("no-carrier", marks=pytest.mark.idc(needs=["host-link"])), "silent"])
def test_host_with_the_virtual_ip_lost(
    idc_cluster: LiveCluster, idc_probe: Prober, idc_record: Record, way: Link, repetition: int
) -> None:
    """The loss of the host with the virtual IP loses no acknowledged write, and the host comes back in order."""
    ground, recorder = Range(idc_cluster, idc_probe), Recorder(idc_record.run)
    recorder.measure_probe_once(idc_probe, ground)
    host = ground.make_ready()
    leading = leader(idc_cluster.access, ground.members)
    assert leading is not None, "etcd has no leader though every member is ready"
    with_leader = "yes" if leading.name == host else "no"
    fault = Fault(
        log=f"host-loss-{way}",
        labels={"fault": "host-loss", "way": way, "vip_and_leader": with_leader},
        host=host,
        component="etcd",
        verb=f"link-{way}",
        action=ACTIONS[way] + (", it also held the etcd leader" if with_leader == "yes" else ""),
        seen=("silent",),
        act=lambda: idc_cluster.faults.link(host, way),
        undo=lambda: idc_cluster.faults.link(host, "up"),
    )
    drilled = ground.drill(fault)
    recorder.keep(drilled, repetition, ground=ground)
    prove(drilled)
