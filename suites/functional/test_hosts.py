"""The hosts themselves, by testinfra: services, files and their modes, sockets, certificates, kernel parameters."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from idcbench.cluster import Capability
from idcbench.plugin.live import LiveCluster, LiveHost

pytestmark = pytest.mark.idc(proves="kubelet", needs=[Capability.REAL_PODS])
Hosts = tuple[LiveHost, ...]
Seen = Callable[[LiveHost], Any]
ETC = "/etc/kubernetes"
DAYS = 30


@pytest.fixture
def all_hosts(idc_cluster: LiveCluster, hosts: Hosts) -> Hosts:
    return (*hosts, *idc_cluster.workers)


@pytest.mark.parametrize("name", ["kubelet", "containerd"])
def test_what_a_node_needs_runs_and_starts_with_the_host(all_hosts: Hosts, idc_testinfra: Seen, name: str) -> None:
    """Both kubelet and containerd run on every host, and are enabled, so that a host that starts is a node again."""
    found = {host.name: idc_testinfra(host).service(name) for host in all_hosts}
    states = {host: (service.is_running, service.is_enabled) for host, service in found.items()}
    assert set(states.values()) == {(True, True)}, states


def test_endpoint_runs_on_every_control_plane(idc_cluster: LiveCluster, hosts: Hosts, idc_testinfra: Seen) -> None:
    """Both haproxy and keepalived run on each control plane and are enabled; haproxy listens at the endpoint."""
    if not idc_cluster.facts.virtual_ip:
        pytest.skip("needs a virtual IP in front of the API servers; this cluster has none of its own")
    port = idc_cluster.access.server.rpartition(":")[2]
    for host in hosts:
        seen = idc_testinfra(host)
        for name in ("haproxy", "keepalived"):
            assert (seen.service(name).is_running, seen.service(name).is_enabled) == (True, True), f"{name} {host.name}"
        assert seen.socket(f"tcp://{idc_cluster.facts.virtual_ip}:{port}").is_listening, host.name


def test_keys_are_readable_for_root_alone(hosts: Hosts, idc_testinfra: Seen) -> None:
    """Every private key and every credential of a control plane has mode 0600 and belongs to root."""
    for host in hosts:
        seen = idc_testinfra(host)
        listed = seen.check_output(f"find {ETC} -name '*.key' -o -name '*.conf' | sort").split()
        assert any(path.endswith("ca.key") for path in listed), f"{host.name}: no key of the authority"
        modes = {path: (seen.file(path).mode, seen.file(path).user) for path in listed}
        assert set(modes.values()) == {(0o600, "root")}, f"{host.name}: {modes}"


def test_certificates_are_good_for_a_month(hosts: Hosts, idc_testinfra: Seen) -> None:
    """No certificate of a control plane expires within 30 days."""
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=DAYS)
    for host in hosts:
        seen = idc_testinfra(host)
        for path in seen.check_output(f"find {ETC}/pki -name '*.crt'").split():
            assert _good_until(seen.file(path).content_string) > until, f"{host.name}: {path}"


def _good_until(pem: str) -> datetime.datetime:
    from cryptography import x509

    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc


def test_kernel_lets_pods_through(all_hosts: Hosts, idc_testinfra: Seen) -> None:
    """Every host forwards packets, has no swap, and will be so after its next start."""
    for host in all_hosts:
        seen = idc_testinfra(host)
        assert seen.sysctl("net.ipv4.ip_forward") == 1, host.name
        persistent = seen.run("grep -rhs '^net.ipv4.ip_forward *= *1' /etc/sysctl.d /etc/sysctl.conf").stdout
        assert persistent, f"{host.name}: ip_forward is not set for the next start"


def test_api_server_and_etcd_listen_on_their_hosts_only_by_tls(hosts: Hosts, idc_testinfra: Seen) -> None:
    """On each control plane 6443, 2379 and 2380 are open, and kubelet's port without credentials is not."""
    for host in hosts:
        seen = idc_testinfra(host)
        for port in (6443, 2379, 2380, 10250):
            listening = [each for each in seen.socket.get_listening_sockets() if each.endswith(f":{port}")]
            assert listening, f"{host.name}: nothing listens on {port}"
        assert not [each for each in seen.socket.get_listening_sockets() if each.endswith(":10255")], host.name
