"""What the cluster was, in the words and the order of a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from idcbench.runs.schema import RunDocument

from .figures import figure

Fact = tuple[str, str]


def simulated_nodes(document: RunDocument) -> bool:
    """Whether the nodes are simulated, so that nothing in the run can say anything about a kubelet."""
    capabilities = document.facts.get("capabilities")
    if isinstance(capabilities, list):
        return "real-pods" not in capabilities
    return document.target.startswith("embedded")


def cluster_facts(document: RunDocument) -> tuple[Fact, ...]:
    """Target, versions, size, endpoint; what is not known is left out."""
    return tuple((name, text) for name, text in _cluster(document) if text)


def timer_facts(document: RunDocument) -> tuple[Fact, ...]:
    """The timers that the outage bounds follow from."""
    timers = _cluster_of(document).get("timers")
    return tuple(_timers(timers)) if isinstance(timers, dict) else ()


def cautions(document: RunDocument) -> tuple[str, ...]:
    """What keeps the figures from meaning what they seem to mean, though the run may be valid."""
    cluster = _cluster_of(document)
    said = []
    if "module" in str(cluster.get("provenance", "")):
        said.append("The Kubernetes binaries are a build from modules, not the official release.")
    if cluster.get("shape") == "bench":
        said.append("Shape bench: one etcd without fsync, one API server, no controllers. It measures throughput only.")
    if simulated_nodes(document):
        said.append(
            "The nodes are simulated: no kubelet and no container ran, and no check here proves anything of them."
        )
    if cluster.get("reused"):
        said.append("The cluster was there before this run; its ready time is not of this run.")
    return (*said, *document.notes)


def machine_facts(document: RunDocument) -> tuple[Fact, ...]:
    """The machine that measured, and on the embedded target ran everything."""
    machine = document.machine
    memory = machine.get("memory_bytes")
    pairs = (
        (
            "Processor",
            f"{machine.get('cores', '?')} cores, {machine.get('processor', machine.get('architecture', ''))}",
        ),
        ("Memory", figure(memory, "bytes") if isinstance(memory, int | float) else ""),
        ("System", str(machine.get("system", ""))),
        ("Kernel", str(machine.get("kernel", ""))),
    )
    return tuple((name, text) for name, text in pairs if text)


def clock_facts(document: RunDocument) -> tuple[Fact, ...]:
    """How the clocks ran."""
    audit = document.clocks
    if audit.realtime_moved_ms is None or audit.suspended_ms is None:
        return ()
    moved = f"{round(audit.realtime_moved_ms, 1) + 0.0:+.1f} ms against the monotonic clock"
    return (("Wall clock moved", moved), ("Machine slept", figure(round(audit.suspended_ms), "ms")))


def _cluster_of(document: RunDocument) -> Mapping[str, Any]:
    cluster = document.facts.get("cluster")
    return cluster if isinstance(cluster, dict) else {}


def _cluster(document: RunDocument) -> Iterator[Fact]:
    cluster = _cluster_of(document)
    nodes = cluster.get("nodes")
    yield "Target", " ".join(filter(None, (document.target, _shape(cluster))))
    yield "Kubernetes", str(cluster.get("kubernetes") or "")
    yield "etcd", str(cluster.get("etcd") or "")
    yield "Control planes", str(cluster.get("control_planes") or "")
    yield "Nodes", f"{nodes}{', simulated' if nodes and simulated_nodes(document) else ''}" if nodes is not None else ""
    yield "Virtual IP", str(cluster.get("virtual_ip") or "")
    yield "Profile", str(cluster.get("profile") or "")
    yield "Binaries", str(cluster.get("provenance") or "")
    yield "Hosts", ", ".join(_host(host) for host in document.facts.get("hosts") or () if isinstance(host, dict))


def _shape(cluster: Mapping[str, Any]) -> str:
    return "(shape bench)" if cluster.get("shape") == "bench" else ""


def _host(host: Mapping[str, Any]) -> str:
    address = f" {host['address']}" if host.get("address") else ""
    return f"{host.get('name', '?')}{address}"


def _timers(timers: Mapping[str, Any]) -> Iterator[Fact]:
    def of(key: str, unit: str) -> str:
        value = timers.get(key)
        return figure(value, unit) if isinstance(value, int | float) else "?"

    yield "VRRP advert", of("vrrp_advert_s", "s")
    yield (
        "haproxy check",
        f"{of('check_inter_ms', 'ms')}, {of('check_fast_ms', 'ms')} in doubt, down after {timers.get('check_fall')}",
    )
    yield "haproxy connect", of("connect_ms", "ms")
    yield "etcd heartbeat / election", f"{of('etcd_heartbeat_ms', 'ms')} / {of('etcd_election_ms', 'ms')}"
    yield "Leader lease / renew / retry", f"{of('lease_s', 's')} / {of('renew_s', 's')} / {of('retry_s', 's')}"
