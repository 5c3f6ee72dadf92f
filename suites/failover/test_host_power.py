"""A control-plane host loses its power, and gets it back; then all hosts do."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client
from idcbench.measure.probe import Prober
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress

from .drill import RECOVERY_S, Fault, Range
from .members import leader, members_of, wait_until_all_ready
from .proof import prove
from .recording import Recorder
from .repeating import pytest_generate_tests
from .settled import wait_until_nodes_ready, wait_until_pods_ready

__all__ = ["pytest_generate_tests"]
pytestmark = [pytest.mark.idc(needs=[Capability.HOST_FAULTS, Capability.HOST_POWER]), pytest.mark.idc_disruptive]
WRITES = 50
ALL_BACK_S = 300.0


@pytest.mark.idc(proves="api")
@pytest.mark.idc_measuring
@pytest.mark.parametrize("role", ["virtual-ip", "follower"])
def test_control_plane_host_powered_off(
    idc_cluster: LiveCluster, idc_probe: Prober, idc_record: Record, role: str, repetition: int
) -> None:
    """The loss of a control-plane host's power loses no acknowledged write, and the host comes back in order."""
    ground, recorder = Range(idc_cluster, idc_probe), Recorder(idc_record.run)
    recorder.measure_probe_once(idc_probe, ground)
    owner = ground.make_ready()
    leading = leader(idc_cluster.access, ground.members)
    assert leading is not None, "etcd has no leader though every member is ready"
    host = owner if role == "virtual-ip" else _follower(ground, owner, leading.name)
    with_leader = "yes" if leading.name == host else "no"
    fault = Fault(
        log=f"host-power-{role}",
        labels={"fault": "host-power", "role": role, "vip_and_leader": with_leader},
        host=host,
        component="etcd",
        verb="stop-host",
        action=idc_cluster.facts.power_loss + (", it also held the etcd leader" if with_leader == "yes" else ""),
        seen=("silent", "gone"),
        act=lambda: idc_cluster.faults.stop_host(host),
        undo=lambda: idc_cluster.faults.start_host(host),
        powers_off=True,
    )
    drilled = ground.drill(fault)
    recorder.keep(drilled, repetition, ground=ground)
    prove(drilled)


def _follower(ground: Range, owner: str, leading: str) -> str:
    """A host that has neither the virtual IP nor the etcd leader. Skips where there is none."""
    others = [member.name for member in ground.members if member.name not in (owner, leading)]
    if not others:
        pytest.skip("needs a control-plane host that holds neither the virtual IP nor the etcd leader")
    return others[0]


@pytest.mark.idc(proves="kubelet", needs=[Capability.REAL_PODS])
def test_all_hosts_killed_and_started_in_any_order(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_progress: Progress, repetition: int
) -> None:
    """When every host was killed at once and is started again, the cluster comes back unaided and knows all it knew."""
    members = members_of(idc_cluster.access, [(host.name, host.address) for host in idc_cluster.hosts])
    wait_until_all_ready(idc_cluster.access, members, timeout_s=RECOVERY_S)
    name = f"idc-killed-{repetition}-{time.monotonic_ns()}"
    for number in range(WRITES):
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{name}-{number}"}}
        idc_client.create(manifest, "default")
    hosts = [host.name for host in (*idc_cluster.hosts, *idc_cluster.workers)]
    order = random.sample(hosts, k=len(hosts))
    try:
        _at_once(idc_cluster, "stop_host", hosts)
    finally:
        began_ns = time.monotonic_ns()
        _at_once(idc_cluster, "start_host", order)
    wait_until_all_ready(idc_cluster.access, members, timeout_s=ALL_BACK_S)
    answering_s = (time.monotonic_ns() - began_ns) / 1e9
    idc_progress("nodes ready again")
    wait_until_nodes_ready(idc_client, len(hosts), timeout_s=ALL_BACK_S)
    wait_until_pods_ready(idc_client, "kube-system", timeout_s=ALL_BACK_S)
    settled_s = (time.monotonic_ns() - began_ns) / 1e9
    found = {each["metadata"]["name"] for each in idc_client.list("ConfigMap", "default")}
    lost = [number for number in range(WRITES) if f"{name}-{number}" not in found]
    run = idc_record.run
    labels = {"hosts": str(len(hosts))}
    run.series(
        "failover.all_killed_answering", unit="s", better="lower", labels=labels,
        definition="from when the hosts, killed at once, began to be started in random order until every API server is"
        " ready and etcd has a leader; the facts of the cluster say whether power was lost or processes killed",
    ).add(answering_s)  # fmt: skip
    run.series(
        "failover.all_killed_settled", unit="s", better="lower", labels=labels,
        definition="the same, until every node and every pod of kube-system is ready",
    ).add(settled_s)  # fmt: skip
    assert not lost, f"{len(lost)} of {WRITES} acknowledged writes are lost: {lost[:10]}"


def _at_once(cluster: LiveCluster, verb: str, hosts: list[str]) -> None:
    with ThreadPoolExecutor(len(hosts)) as threads:
        list(threads.map(getattr(cluster.faults, verb), hosts))
