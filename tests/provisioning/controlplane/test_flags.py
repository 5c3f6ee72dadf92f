"""Command lines of the components: what kubeadm would set, and what a profile and a shape change."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.choices import Profile
from idcbench.cluster import Shape
from idcbench.provisioning.controlplane import flags
from idcbench.provisioning.controlplane.timers import (
    HEARTBEATS_PER_S,
    NODE_LEASE_RENEWALS,
    PROFILES,
    node_grace_s,
    node_lease_s,
)


def member(*, profile: Profile = "default", shape: Shape = "full", nodes: int = 50) -> flags.Member:
    return flags.Member(
        name="cp2",
        address="10.0.0.2",
        peers={"cp1": "10.0.0.1", "cp2": "10.0.0.2"},
        pki=Path("/pki"),
        etc=Path("/etc/x"),
        data=Path("/data"),
        logs=Path("/logs"),
        timers=PROFILES[profile],
        nodes=nodes,
        shape=shape,
    )


def value(argv: list[str], flag: str) -> str:
    found = [one.removeprefix(f"--{flag}=") for one in argv if one.startswith(f"--{flag}=")]
    assert len(found) == 1, f"--{flag} stands {len(found)} times in {argv}"
    return found[0]


def test_etcd_knows_all_members_and_speaks_tls_only() -> None:
    argv = flags.etcd(member())
    assert value(argv, "initial-cluster") == "cp1=https://10.0.0.1:2380,cp2=https://10.0.0.2:2380"
    assert value(argv, "client-cert-auth") == value(argv, "peer-client-cert-auth") == "true"
    assert "http://" not in value(argv, "listen-client-urls")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_sets_the_timers_of_all_components(profile: Profile) -> None:
    timers = PROFILES[profile]
    one = member(profile=profile)
    assert value(flags.etcd(one), "election-timeout") == str(timers.etcd_election_ms)
    for component in (flags.kube_controller_manager, flags.kube_scheduler):
        assert value(component(one), "leader-elect-lease-duration") == f"{timers.lease_s:g}s"


@pytest.mark.parametrize("profile", PROFILES)
def test_timers_stand_in_the_order_that_their_owners_demand(profile: Profile) -> None:
    timers = PROFILES[profile]
    assert timers.etcd_election_ms >= 5 * timers.etcd_heartbeat_ms  # etcd refuses less
    assert timers.lease_s > timers.renew_s > timers.retry_s * 1.2  # client-go refuses otherwise


def test_only_the_bench_shape_gives_up_safety() -> None:
    assert "--unsafe-no-fsync" in flags.etcd(member(shape="bench"))
    assert not [flag for flag in flags.etcd(member()) if "unsafe" in flag]


@pytest.mark.parametrize("nodes", [0, 1, 50, 100, 101, 500, 1000])
def test_heartbeats_stay_within_their_rate_and_grace_is_three_renewals(nodes: int) -> None:
    renewal_s = node_lease_s(nodes) / NODE_LEASE_RENEWALS
    assert nodes / renewal_s <= HEARTBEATS_PER_S * 1.01
    assert node_grace_s(nodes) >= 3 * renewal_s
    assert node_grace_s(nodes) > node_lease_s(nodes)
    assert value(flags.kube_controller_manager(member(nodes=nodes)), "node-monitor-grace-period") == (
        f"{node_grace_s(nodes)}s"
    )


def test_the_bench_shape_serves_gangs_and_keeps_a_round_in_one_audit_file() -> None:
    argv = flags.kube_apiserver(member(shape="bench"))
    assert value(argv, "feature-gates") == "GenericWorkload=true"
    assert value(argv, "runtime-config") == "scheduling.k8s.io/v1beta1=true"
    assert value(argv, "audit-log-maxsize") == "1000"
    assert value(flags.kube_apiserver(member()), "audit-log-maxsize") == "100"
