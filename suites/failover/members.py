"""The members one by one: who leads etcd, who is ready, and whether a member that was away has caught up."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from idcbench.errors import IdcError
from idcbench.kube.access import Access, gateway_socket
from idcbench.measure.observer import ETCD_METRICS_PORT

POLL_S = 0.1
"""Between two looks at a member; how well "back" is known."""


class MemberError(IdcError):
    """A member did not become what it had to become."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdStatus:
    """What an etcd says of itself: whether it leads, and the raft indices that it knows as committed and applied."""

    leads: bool
    has_leader: bool
    committed: int
    applied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One control-plane host as a client of the cluster's network sees it. ``server`` is its API server's URL."""

    name: str
    address: str
    server: str


def members_of(access: Access, hosts: list[tuple[str, str]]) -> tuple[Member, ...]:
    """A member for each host (name, address). Raises :class:`MemberError` when one has no API server of its own."""
    servers = {urlsplit(url).hostname: url for url in access.members}
    missing = [name for name, address in hosts if address not in servers]
    if missing:
        raise MemberError(f"API servers one by one are wanted, but those of {', '.join(missing)} have no URL")
    return tuple(Member(name=name, address=address, server=servers[address]) for name, address in hosts)


def fetch(access: Access, url: str, *, timeout_s: float = 2.0) -> tuple[int, bytes]:
    """GET ``url`` on a connection of its own in the cluster's network. Raises ``OSError`` or ``HTTPException``."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    raw = gateway_socket(access.gateway) if access.gateway else socket.socket()
    try:
        raw.settimeout(timeout_s)
        raw.connect((host, port))
        secure = parts.scheme == "https"
        connection = http.client.HTTPConnection(host, port)
        connection.sock = raw = access.ssl_context().wrap_socket(raw, server_hostname=host) if secure else raw
        connection.request("GET", parts.path, headers=access.headers())
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        raw.close()


def etcd_status(access: Access, member: Member) -> EtcdStatus:
    """Ask a member's etcd. Raises ``OSError`` or ``HTTPException`` when it does not answer, ``KeyError`` for others."""
    _, body = fetch(access, f"http://{member.address}:{ETCD_METRICS_PORT}/metrics")
    return parse_status(body.decode())


def parse_status(metrics: str) -> EtcdStatus:
    """Read the few gauges that matter. Raises ``KeyError`` when one is missing: then it is not etcd that answered."""
    lines = (line.split() for line in metrics.splitlines() if line.startswith("etcd_server_"))
    gauges = {line[0]: float(line[1]) for line in lines if len(line) == 2}
    return EtcdStatus(
        leads=gauges["etcd_server_is_leader"] == 1,
        has_leader=gauges["etcd_server_has_leader"] == 1,
        committed=int(gauges["etcd_server_proposals_committed_total"]),
        applied=int(gauges["etcd_server_proposals_applied_total"]),
    )


def leader(access: Access, members: tuple[Member, ...]) -> Member | None:
    """The member that leads etcd, as it says itself; ``None`` while there is none."""
    for member in members:
        try:
            if etcd_status(access, member).leads:
                return member
        except (OSError, http.client.HTTPException, KeyError):
            continue
    return None


def ready(access: Access, member: Member) -> bool:
    """Whether the API server of ``member`` calls itself ready, and its etcd knows a leader."""
    try:
        return fetch(access, f"{member.server}/readyz")[0] == 200 and etcd_status(access, member).has_leader
    except (OSError, http.client.HTTPException, KeyError):
        return False


def wait_until_caught_up(access: Access, members: tuple[Member, ...], name: str, *, timeout_s: float) -> int:
    """Wait until ``name`` is ready and has applied what the leader had committed by then; the time it was so.

    CLOCK_MONOTONIC, ns, known to 0.1 s. Raises :class:`MemberError`.
    """
    member = next(member for member in members if member.name == name)

    def caught_up() -> bool:
        leading = leader(access, members)
        if leading is None:
            return False
        committed = etcd_status(access, leading).committed
        return ready(access, member) and etcd_status(access, member).applied >= committed

    return _wait(caught_up, f"{name} to be ready and to have caught up with the etcd leader", timeout_s=timeout_s)


def wait_until_all_ready(access: Access, members: tuple[Member, ...], *, timeout_s: float) -> int:
    """Wait until each member is ready and one leads; raises :class:`MemberError`."""

    def all_ready() -> bool:
        return leader(access, members) is not None and all(ready(access, member) for member in members)

    return _wait(all_ready, f"all of {len(members)} members to be ready and one etcd to lead", timeout_s=timeout_s)


def _wait(condition: Callable[[], bool], what: str, *, timeout_s: float) -> int:
    until = time.monotonic() + timeout_s
    while True:
        try:
            if condition():
                return time.monotonic_ns()
        except (OSError, http.client.HTTPException, KeyError):
            pass  # not there yet
        if time.monotonic() > until:
            raise MemberError(f"waited {timeout_s:.0f} s for {what}; look at the logs of the run")
        time.sleep(POLL_S)
