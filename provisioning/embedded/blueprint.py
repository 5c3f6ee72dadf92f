"""From a specification to all that the supervisor needs on disk: certificates, configuration, the plan."""

from __future__ import annotations

import sys
from pathlib import Path

from ...cluster import ClusterSpec
from ...kube.kubeconfig import write_kubeconfig, write_private
from ..controlplane import flags
from ..controlplane.certificates import Authorities, write_host_certificates
from ..controlplane.endpoint import (
    API_PORT,
    ENDPOINT_PORT,
    HAPROXY_CHECK,
    EndpointHost,
    haproxy_config,
    keepalived_config,
)
from ..controlplane.flags import Member
from ..controlplane.timers import PROFILES
from ..nodes import kwok
from . import own_scheduler
from .layout import StateDirectory
from .plan import Plan, PlannedHost, Program, write_plan

NETWORK = "10.77.0."
PREFIX = 24
CLIENT_ADDRESS = NETWORK + "254"
VIRTUAL_IP = NETWORK + "100"
GO_RUNTIME = {"GOGC": "200"}
"""Half of Go's garbage collections at the price of some memory: starting is bound by the processors."""


def host_names(spec: ClusterSpec) -> list[str]:
    """cp1, cp2, …; one alone in the bench shape, which has one etcd and one API server."""
    return [f"cp{i}" for i in range(1, spec.control_planes + 1)]


def address_of(name: str) -> str:
    return NETWORK + name.removeprefix("cp")


def endpoint_url(spec: ClusterSpec) -> str:
    """The URL of the endpoint: the virtual IP, or in the bench shape the API server itself."""
    if spec.shape == "bench":
        return f"https://{address_of('cp1')}:{API_PORT}"
    return f"https://{VIRTUAL_IP}:{ENDPOINT_PORT}"


def write_blueprint(state: StateDirectory, spec: ClusterSpec, *, binaries: Path, relay_port: int) -> Plan:
    """Fill the state directory. What lies there of the cluster's data and certificates stays as it is."""
    names = host_names(spec)
    members = [_member(state, spec, name, names) for name in names]
    if not state.pki.exists():
        _write_certificates(state, names)
    _write_kubeconfigs(state, spec, names, relay_port=relay_port)
    plan = Plan(
        client_address=CLIENT_ADDRESS,
        prefix=PREFIX,
        hosts=[_planned_host(member, binaries, spec) for member in members],
        clients=_client_programs(state, spec, binaries),
        ca_file=state.pki / "ca.crt",
        cert_file=state.pki / "admin.crt",
        key_file=state.pki / "admin.key",
        logs=state.logs,
        timeline=state.timeline,
        control=state.control,
    )
    write_plan(state.plan_file, plan)
    return plan


def _write_certificates(state: StateDirectory, names: list[str]) -> None:
    authorities = Authorities.new()
    also = (VIRTUAL_IP, flags.FIRST_SERVICE_ADDRESS)
    for name in names:
        folder = state.host(name) / "pki"
        write_host_certificates(folder, authorities, name=name, address=address_of(name), also=also)
    first = state.host(names[0]) / "pki"
    state.pki.mkdir(mode=0o700)
    for file in ("ca.crt", "admin.crt", "admin.key"):
        write_private(state.pki / file, (first / file).read_bytes())


def _write_kubeconfigs(state: StateDirectory, spec: ClusterSpec, names: list[str], *, relay_port: int) -> None:
    def write(path: Path, server: str, folder: Path, who: str) -> None:
        write_kubeconfig(
            path,
            server=server,
            ca_pem=(folder / "ca.crt").read_bytes(),
            cert_pem=(folder / f"{who}.crt").read_bytes(),
            key_pem=(folder / f"{who}.key").read_bytes(),
            name=state.root.name,
        )

    for name in names:
        for who in ("controller-manager", "scheduler", *own_scheduler.certificates(spec)):
            own = f"https://{address_of(name)}:{API_PORT}"
            write(state.host(name) / "etc" / f"{who}.conf", own, state.host(name) / "pki", who)
    write(state.root / "kwok.conf", endpoint_url(spec), state.pki, "admin")
    write(state.kubeconfig, f"https://127.0.0.1:{relay_port}", state.pki, "admin")


def _planned_host(member: Member, binaries: Path, spec: ClusterSpec) -> PlannedHost:
    policy = flags.BENCH_AUDIT_POLICY if member.shape == "bench" else flags.AUDIT_POLICY
    (member.etc / "audit-policy.yaml").write_text(policy)
    programs = [
        _go_program(flags.etcd(member), binaries),
        _go_program(flags.kube_apiserver(member), binaries),
    ]
    if member.shape == "full":
        programs += [
            _go_program(flags.kube_controller_manager(member), binaries),
            _go_program(flags.kube_scheduler(member), binaries, held=spec.scheduler == "idcbench"),
            *own_scheduler.programs(member, spec),
            *_endpoint_programs(member),
        ]
    return PlannedHost(name=member.name, address=member.address, programs=programs)


def _member(state: StateDirectory, spec: ClusterSpec, name: str, names: list[str]) -> Member:
    folder = state.host(name)
    member = Member(
        name=name,
        address=address_of(name),
        peers={peer: address_of(peer) for peer in names},
        pki=folder / "pki",
        etc=folder / "etc",
        data=folder / "data",
        logs=state.logs / name,
        timers=PROFILES[spec.profile],
        nodes=spec.nodes,
        shape=spec.shape,
    )
    for place in (member.etc, member.data, member.logs):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return member


def _go_program(argv: list[str], binaries: Path, *, held: bool = False) -> Program:
    return Program(component=argv[0], argv=[str(binaries / argv[0]), *argv[1:]], environment=GO_RUNTIME, held=held)


def _endpoint_programs(member: Member) -> list[Program]:
    hosts = [EndpointHost(name=n, address=a, order=i) for i, (n, a) in enumerate(member.peers.items(), 1)]
    own = next(host for host in hosts if host.name == member.name)
    haproxy, keepalived, script = (member.etc / f for f in ("haproxy.cfg", "keepalived.conf", "haproxy-check.sh"))
    haproxy.write_text(
        haproxy_config(
            hosts, virtual_ip=VIRTUAL_IP, timers=member.timers, own=own, socket=Path(f"/run/haproxy-{member.name}.sock")
        )
    )
    script.write_text(HAPROXY_CHECK)
    script.chmod(0o700)
    keepalived.write_text(
        keepalived_config(hosts, virtual_ip=VIRTUAL_IP, prefix=PREFIX, timers=member.timers, own=own, script=script)
    )
    pids = {kind: member.data / f"keepalived-{kind}" for kind in ("pid", "vrrp_pid")}
    return [
        Program(component="haproxy", argv=["haproxy", "-db", "-f", str(haproxy)]),
        Program(
            component="keepalived",
            argv=["keepalived", "--dont-fork", "--log-console", "--vrrp", f"--use-file={keepalived}"]
            + [f"--{kind}={file}" for kind, file in pids.items()],
            remove_first=[str(file) for file in pids.values()],
        ),
    ]


def _client_programs(state: StateDirectory, spec: ClusterSpec, binaries: Path) -> list[Program]:
    host, port = endpoint_url(spec).removeprefix("https://").split(":")
    gateway = [sys.executable, "-m", "idcbench.provisioning.embedded.gateway", str(state.gateway)]
    programs = [Program(component="gateway", argv=[*gateway, host, port], takes_relay=True)]
    if spec.shape == "full":
        argv = kwok.command(kubeconfig=state.root / "kwok.conf", node_ip=CLIENT_ADDRESS, nodes=spec.nodes)
        programs.append(_go_program(argv, binaries))
    return programs
