"""Real pods talk: across hosts, to Services, by names, and from outside of the cluster's network."""

from __future__ import annotations

import socket
from collections import Counter

import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client
from idcbench.kube.waiting import wait_until
from idcbench.plugin.live import LiveCluster

from .manifests import named, service
from .states import name_of
from .tool import PORT, address_of, fetched, server, started

pytestmark = pytest.mark.idc(proves="kubelet", needs=[Capability.REAL_PODS])
SETTLES_S = 20.0
"""For kube-proxy on each node to hear of an endpoint."""


def test_pods_talk_to_each_other_from_every_node_to_every_node(
    idc_client: Client, namespace: str, nodes: list[str]
) -> None:
    """Each pod reaches the pod on each node at its own address, which is the address that the other one sees."""
    pods = started(idc_client, namespace, *(server(f"on-{node}", node=node) for node in nodes))
    for one in pods:
        for other in pods:
            seen = fetched(idc_client, namespace, name_of(one), f"http://{address_of(other)}:{PORT}/client")
            assert seen == address_of(one), f"{name_of(one)} to {name_of(other)}"


def test_datagrams_of_a_pod_reach_a_pod_on_another_node(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """UDP goes there and back between nodes, unchanged."""
    _two(nodes)
    one, other = started(idc_client, namespace, *(server(f"on-{node}", node=node) for node in nodes[:2]))
    idc_client.ask_pod(name_of(one), namespace, f"/echo?address={address_of(other)}:{PORT}")


def test_large_answers_cross_the_overlay_whole(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """An answer of 10 MB comes over whole from another node: no frame is too large for the overlay."""
    _two(nodes)
    one, other = started(idc_client, namespace, *(server(f"on-{node}", node=node) for node in nodes[:2]))
    url = f"http://{address_of(other)}:{PORT}/bytes?count=10000000"
    count, _ = idc_client.ask_pod(name_of(one), namespace, f"/pull?url={url.replace('?', '%3F')}").split()
    assert int(count) == 10_000_000


def test_service_spreads_connections_over_its_pods(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """Of 60 connections to a Service, some reach each of its pods on all nodes, and none anything else."""
    labels = {"app": "web"}
    pods = started(idc_client, namespace, *(server(f"web-{node}", node=node, labels=labels) for node in nodes))
    made = idc_client.create(service("web", app="web", ports=[{"port": 80, "targetPort": PORT}]), namespace)
    url = f"http://{made['spec']['clusterIP']}/"
    asker = name_of(pods[0])
    _until_fetched(idc_client, namespace, asker, url)
    answers = Counter(fetched(idc_client, namespace, asker, url) for _ in range(60))
    assert set(answers) == {name_of(pod) for pod in pods}


def test_service_forgets_a_pod_that_is_not_ready_any_more(idc_client: Client, namespace: str) -> None:
    """Once a pod says that it is not ready, connections to its Service go to the other one alone."""
    labels = {"app": "web"}
    started(idc_client, namespace, server("good", labels=labels), server("ill", labels=labels), server("asker"))
    made = idc_client.create(service("web", app="web", ports=[{"port": 80, "targetPort": PORT}]), namespace)
    url = f"http://{made['spec']['clusterIP']}/"
    _until_fetched(idc_client, namespace, "asker", url)
    idc_client.ask_pod("ill", namespace, "/readyz?fail=true", method="POST")

    def only_good() -> tuple[bool | None, str]:
        seen = Counter(fetched(idc_client, namespace, "asker", url) for _ in range(10))
        return (True if set(seen) == {"good"} else None), f"{dict(seen)}"

    wait_until("only the pod that is ready to be reached", only_good, timeout_s=SETTLES_S)


def test_node_port_answers_on_every_host(idc_cluster: LiveCluster, idc_client: Client, namespace: str) -> None:
    """A NodePort Service is reached from outside at the address of every node, also of one without its pods."""
    if idc_cluster.access.gateway is not None:
        pytest.skip("needs the nodes' network, which only the cluster's own clients reach here")
    started(idc_client, namespace, server("web"))
    ports = [{"port": 80, "targetPort": PORT}]
    made = idc_client.create(service("web", app="web", type="NodePort", ports=ports), namespace)
    port = made["spec"]["ports"][0]["nodePort"]
    for node in idc_client.list("Node"):
        address = next(one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP")

        def answers(address: str = address) -> tuple[bool | None, str]:
            try:
                socket.create_connection((address, port), timeout=2).close()
            except OSError as error:
                return None, str(error)
            return True, ""

        wait_until(f"port {port} of node {name_of(node)} to answer", answers, timeout_s=SETTLES_S)


def test_names_of_services_are_known(idc_client: Client, namespace: str, nodes: list[str]) -> None:
    """The short and the whole name of a Service lead to its address, from pods on every node."""
    pods = started(idc_client, namespace, *(server(f"on-{node}", node=node) for node in nodes))
    made = idc_client.create(service("web", app="web", ports=[{"port": 80, "targetPort": PORT}]), namespace)
    for pod in pods:
        for name in ("web", f"web.{namespace}", f"web.{namespace}.svc"):
            assert _looked_up(idc_client, namespace, name_of(pod), name) == [made["spec"]["clusterIP"]]


def test_headless_service_names_the_addresses_of_its_pods(idc_client: Client, namespace: str) -> None:
    """The name of a headless Service leads to every pod, and each pod with a host name has a name of its own."""
    labels = {"app": "web"}
    specs = [{"hostname": name, "subdomain": "web"} for name in ("a", "b")]
    idc_client.create(service("web", app="web", clusterIP="None"), namespace)
    made = (server(spec["hostname"], labels=labels, spec=dict(spec)) for spec in specs)
    pods = started(idc_client, namespace, *made)
    wanted = sorted(address_of(pod) for pod in pods)
    assert _looked_up(idc_client, namespace, "a", "web") == wanted
    assert _looked_up(idc_client, namespace, "a", f"b.web.{namespace}.svc") == [address_of(pods[1])]


def test_pods_reach_the_api_server_by_its_service(idc_client: Client, namespace: str) -> None:
    """From a pod, the Service kubernetes accepts connections, by its name and by its address."""
    started(idc_client, namespace, server("asker"))
    address = idc_client.get("Service", "kubernetes", "default")["spec"]["clusterIP"]
    for where in (f"{address}:443", "kubernetes.default.svc:443"):
        idc_client.ask_pod("asker", namespace, f"/dial?address={where}")


@pytest.mark.idc(needs=[Capability.REAL_PODS, Capability.NETWORK_POLICY])
def test_network_policy_is_enforced(idc_client: Client, namespace: str) -> None:
    """Once a policy lets nobody in, a pod cannot be reached from another one."""
    guarded, _ = started(idc_client, namespace, server("guarded"), server("asker"))
    spec = {"podSelector": {"matchLabels": {"app": "guarded"}}, "policyTypes": ["Ingress"]}
    idc_client.create(named("NetworkPolicy", "closed", api_version="networking.k8s.io/v1", spec=spec), namespace)
    where = f"{address_of(guarded)}:{PORT}"

    def refused() -> tuple[bool | None, str]:
        done = idc_client.exec("asker", namespace, "podtool", "dial", where)
        return (True if done.exit_code else None), "it still answers"

    wait_until("the policy to be enforced", refused, timeout_s=SETTLES_S)


def _two(nodes: list[str]) -> None:
    if len(nodes) < 2:
        pytest.skip("needs two nodes that take pods; there is one")


def _until_fetched(client: Client, namespace: str, pod: str, url: str) -> None:
    """Until kube-proxy knows of the Service."""

    def fetches() -> tuple[bool | None, str]:
        done = client.exec(pod, namespace, "podtool", "fetch", url)
        return (True if done.exit_code == 0 else None), done.stderr.strip()

    wait_until(f"{url} to answer", fetches, timeout_s=SETTLES_S)


def _looked_up(client: Client, namespace: str, pod: str, name: str) -> list[str]:
    """The addresses that a name leads to, as a pod sees it; awaited, as a name is told some time after its Service."""

    def found() -> tuple[list[str] | None, str]:
        done = client.exec(pod, namespace, "podtool", "lookup", name)
        return (sorted(done.stdout.split()) or None) if done.exit_code == 0 else None, done.stderr.strip()

    return wait_until(f"the name {name} to be known", found, timeout_s=SETTLES_S)
