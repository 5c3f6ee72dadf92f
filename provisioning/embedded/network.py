"""The inner network: a bridge, and per host a network and UTS namespace with one interface on it."""

from __future__ import annotations

import json
import subprocess
import time

from ...cluster import Link
from .plan import Plan

BRIDGE = "idc0"
INTERFACE = "eth0"
STP_DISABLED, STP_FORWARDING = 0, 3
"""A disabled bridge port drops every frame both ways while the host's carrier stays (bridge(8))."""
CARRIER_LIMIT_S = 5.0
TBF_BURST_BYTES, TBF_LATENCY_MS = 65536, 100


def create(plan: Plan) -> None:
    """Make the bridge and every host's namespace, all links up. Raises ``CalledProcessError`` with ip's own words."""
    _batch(
        [
            "link set lo up",
            f"link add name {BRIDGE} type bridge forward_delay 0 stp_state 0",
            f"address add {plan.client_address}/{plan.prefix} dev {BRIDGE}",
            f"link set {BRIDGE} up",
        ]
    )
    for host in plan.hosts:
        _create_host(host.name, f"{host.address}/{plan.prefix}", gateway=plan.client_address)


def enter(host: str) -> list[str]:
    """What goes before a command to run it on ``host``: nsenter replaces itself, so the process id stays."""
    return ["nsenter", f"--net=/run/netns/{host}", f"--uts=/run/uts/{host}", "--"]


def set_link(host: str, state: Link) -> None:
    """Put the host's link into ``state``, whatever it was before."""
    if state == "no-carrier":
        _run("ip", "link", "set", _port(host), "down")
        return
    _run("ip", "link", "set", _port(host), "up")
    _await_carrier(_port(host))
    stp = STP_DISABLED if state == "silent" else STP_FORWARDING
    _run("bridge", "link", "set", "dev", _port(host), "state", str(stp))


def set_limit(host: str, bits_per_s: int | None) -> None:
    """Shape both directions of the host's link with a token bucket (tc-tbf(8)), or lift that."""
    for command, device in ((["tc"], _port(host)), ([*enter(host), "tc"], INTERFACE)):
        subprocess.run([*command, "qdisc", "del", "dev", device, "root"], capture_output=True, check=False)
        if bits_per_s is not None:
            rate = ["rate", f"{bits_per_s}bit", "burst", str(TBF_BURST_BYTES), "latency", f"{TBF_LATENCY_MS}ms"]
            _run(*command, "qdisc", "add", "dev", device, "root", "tbf", *rate)


def _create_host(name: str, address: str, *, gateway: str) -> None:
    _run("ip", "netns", "add", name)
    with open(f"/run/uts/{name}", "wb"):  # noqa: PTH123 - a mount point
        pass
    _run("unshare", f"--uts=/run/uts/{name}", "hostname", name)
    _batch(
        [
            f"link add name {_port(name)} type veth peer name {INTERFACE} netns {name}",
            f"link set {_port(name)} master {BRIDGE} up",
        ]
    )
    inside = [
        "link set lo up",
        f"address add {address} dev {INTERFACE}",
        f"link set {INTERFACE} up",
        f"route add default via {gateway}",
    ]
    _batch(inside, namespace=name)
    # haproxy listens on the virtual address before keepalived has given it to this host
    _run(*enter(name), "sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=1", "net.ipv4.ip_forward=1")


def _await_carrier(port: str) -> None:
    """Until the kernel counts the port as up: before that, it refuses to let a bridge port forward."""
    end_s = time.monotonic() + CARRIER_LIMIT_S
    while json.loads(_run("ip", "-json", "link", "show", port))[0]["operstate"] != "UP":
        if time.monotonic() > end_s:
            raise TimeoutError(f"{port} has no carrier after {CARRIER_LIMIT_S:g} s")


def _port(host: str) -> str:
    return f"p-{host}"


def _batch(lines: list[str], *, namespace: str = "") -> None:
    inside = ["-n", namespace] if namespace else []
    subprocess.run(["ip", *inside, "-batch", "-"], input="\n".join(lines), text=True, check=True, capture_output=True)


def _run(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
