"""The network of real pods: how long a name, a Service and a pod take, and how many and how much there can be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.suites.functional.manifests import named, service
from idcbench.suites.functional.states import name_of
from idcbench.suites.functional.tool import PORT, address_of, server, started

from .sizes import scaled

pytestmark = [pytest.mark.idc_measuring, pytest.mark.idc(needs=[Capability.REAL_PODS])]
REQUESTS = 2000
AT_ONCE = 8
SECONDS = 5
BYTES = 1_000_000_000
PULLS = 5
ASKER, NEAR, FAR = "asker", "near", "far"


@pytest.fixture
def pods(idc_cluster: LiveCluster, idc_client: Client) -> Iterator[tuple[str, dict[str, str]]]:
    """A namespace with a pod that asks, one on the same node, one on another; the addresses of all and of Services."""
    nodes = [name_of(node) for node in idc_client.list("Node") if not _repels(node)]
    if not nodes:
        pytest.skip("needs a node that takes any pod")
    other = nodes[1] if len(nodes) > 1 else _other(idc_client, nodes[0])
    namespace = f"idc-network-{idc_cluster.facts.name}"
    idc_client.create(named("Namespace", namespace))
    try:
        places = {ASKER: nodes[0], NEAR: nodes[0], FAR: other}
        made = started(idc_client, namespace, *(server(name, node=node) for name, node in places.items()))
        found = {name_of(pod): address_of(pod) for pod in made}
        for name in (NEAR, FAR):
            ports = [{"port": 80, "targetPort": PORT}]
            at = idc_client.create(service(f"svc-{name}", app=name, ports=ports), namespace)
            found[f"svc-{name}"] = at["spec"]["clusterIP"]
        yield namespace, found
    finally:
        idc_client.delete("Namespace", namespace)
        idc_client.wait_gone("Namespace", namespace, timeout_s=120.0)


def _repels(node: dict[str, object]) -> bool:
    spec = node["spec"]
    assert isinstance(spec, dict)
    return any(taint["effect"] != "PreferNoSchedule" for taint in spec.get("taints", ()))


def _other(client: Client, but: str) -> str:
    """A node that repels pods takes one that is bound past the scheduler."""
    others = [name_of(node) for node in client.list("Node") if name_of(node) != but]
    return others[0] if others else but


def test_latency_and_rate_of_the_pod_network(
    idc_client: Client, idc_record: Record, idc_scale: float, pods: tuple[str, dict[str, str]]
) -> None:
    """A request from pod to pod, to a Service and to the name service: its latency, and how many a second there are."""
    namespace, at = pods
    ways = {
        ("pod", "same node"): ("fetch", f"http://{at[NEAR]}:{PORT}/readyz"),
        ("pod", "other node"): ("fetch", f"http://{at[FAR]}:{PORT}/readyz"),
        ("service", "same node"): ("fetch", f"http://{at[f'svc-{NEAR}']}/readyz"),
        ("service", "other node"): ("fetch", f"http://{at[f'svc-{FAR}']}/readyz"),
        ("dns", ""): ("lookup", f"svc-{FAR}.{namespace}.svc.cluster.local."),
    }
    for (to, where), what in ways.items():
        labels = {"to": to} | ({"where": where} if where else {})
        done = idc_client.exec(
            ASKER, namespace, "podtool", "times", str(scaled(REQUESTS, idc_scale)), *what, timeout_s=120.0
        ).check()
        latency = idc_record.run.series(
            "network.latency", unit="ms", better="lower", labels=labels,
            definition="one request from a pod on a connection of its own, from its beginning to the whole answer,"
            " measured in the pod: HTTP to a pod or a Service, or the lookup of a name",
        )  # fmt: skip
        latency.add_many([float(line) / 1000 for line in done.stdout.split()])
        busy = idc_client.exec(
            ASKER, namespace, "podtool", "rate", str(SECONDS), str(AT_ONCE), *what, timeout_s=60.0
        ).check()
        well, ill, seconds = busy.stdout.split()
        assert int(ill) == 0, f"{ill} of {int(well) + int(ill)} requests to {to} {where} failed"
        idc_record(
            "network.rate", int(well) / float(seconds), unit="1/s", better="higher", labels=labels,
            definition=f"such requests a second that one pod makes, {AT_ONCE} at once, for {SECONDS} s, all answered",
        )  # fmt: skip


def test_bandwidth_between_pods(
    idc_client: Client, idc_record: Record, idc_scale: float, pods: tuple[str, dict[str, str]]
) -> None:
    """How many bytes a second one pod sends to another over one connection, on the same node and on another one."""
    namespace, at = pods
    count = scaled(BYTES, idc_scale)
    for name, where in ((NEAR, "same node"), (FAR, "other node")):
        url = f"http://{at[name]}:{PORT}/bytes?count={count}"
        for _ in range(PULLS):
            done = idc_client.exec(ASKER, namespace, "podtool", "pull", url, timeout_s=120.0).check()
            found, seconds = done.stdout.split()
            assert int(found) == count
            idc_record(
                "network.bandwidth", int(found) * 8 / float(seconds) / 1e9, unit="Gbit/s", better="higher",
                labels={"where": where},
                definition="one HTTP answer from pod to pod, its bits by the time from the request to its last byte",
            )  # fmt: skip
