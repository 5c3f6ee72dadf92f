"""The timers of a control plane, set together by a profile so that one bound on the outage follows from them."""

from __future__ import annotations

from ...choices import Profile
from ...cluster import Timers

PROFILES: dict[Profile, Timers] = {
    "fast": Timers(
        vrrp_advert_s=0.2,
        check_inter_ms=200,
        check_fast_ms=100,
        check_fall=2,
        connect_ms=200,
        etcd_heartbeat_ms=50,
        etcd_election_ms=500,
        lease_s=5,
        renew_s=4,
        retry_s=1,
    ),
    "default": Timers(
        vrrp_advert_s=0.5,
        check_inter_ms=500,
        check_fast_ms=200,
        check_fall=2,
        connect_ms=500,
        etcd_heartbeat_ms=100,
        etcd_election_ms=1000,
        lease_s=15,
        renew_s=10,
        retry_s=2,
    ),
    "slow-disk": Timers(
        vrrp_advert_s=1.0,
        check_inter_ms=1000,
        check_fast_ms=500,
        check_fall=3,
        connect_ms=1000,
        etcd_heartbeat_ms=250,
        etcd_election_ms=2500,
        lease_s=30,
        renew_s=20,
        retry_s=4,
    ),
}
"""etcd: heartbeat about the round trip, election at least ten of them (etcd.io/docs, tuning). Leases: client-go's
15/10/2 s by default. haproxy and VRRP: a dead neighbour is noticed before etcd has elected a new leader."""
NODE_LEASE_RENEWALS = 4
"""A node's lease lasts four renewals, as kubelet's does (40 s, renewed every 10 s)."""
HEARTBEATS_PER_S = 10.0
"""All simulated nodes together; more costs the control plane of a small machine most of its time."""


def node_lease_s(nodes: int) -> int:
    """How long a simulated node's lease lasts: 40 s, or longer so that all together keep ``HEARTBEATS_PER_S``."""
    return max(40, round(nodes / HEARTBEATS_PER_S * NODE_LEASE_RENEWALS))


def node_grace_s(nodes: int) -> int:
    """After what silence a node counts as lost: kube-controller-manager's 50 s, and never below five renewals."""
    return max(50, round(node_lease_s(nodes) * 5 / NODE_LEASE_RENEWALS))
