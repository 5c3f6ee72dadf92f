"""What an inventory may not want of the hosts that it names: somebody else's, or what no living cluster takes."""

from __future__ import annotations

from ...errors import ClusterError
from ...hosts.inventory import HostEntry
from .state import State


def check_owner(state: State) -> None:
    """Raise :class:`ClusterError` for hosts that belong to another cluster, or to none of ours."""
    for host in state.inventory.hosts:
        facts = state.facts[host.name]
        owner = facts.mark.get("cluster")
        if owner is not None and owner != state.inventory.name:
            raise ClusterError(
                f"host {host.name}: belongs to cluster {owner}, not {state.inventory.name}; take it out of the "
                f"inventory, or remove it from there first: idcbench node remove, or idcbench down"
            )
        if owner is None and (facts.is_member or facts.is_control_plane):
            raise ClusterError(
                f"host {host.name}: belongs to a cluster that idcbench did not make ({facts.one('joined_to')}); "
                "take it out of the inventory, or clean it with `kubeadm reset` when that cluster may lose it"
            )
    authorities = {facts.one("authority") for host in state.members if (facts := state.facts[host.name])}
    if len(authorities) > 1:
        raise ClusterError(
            f"the hosts of cluster {state.inventory.name} trust different authorities ("
            + ", ".join(f"{host.name} {state.facts[host.name].one('authority')[:8]}" for host in state.members)
            + "); they are of two clusters of that name"
        )


def check_version(state: State, version: str) -> None:
    """Raise :class:`ClusterError` when members run another version of Kubernetes than ``version``."""
    for host in state.members:
        found = state.facts[host.name].one("kubelet").removeprefix("v")
        if found not in ("", version):
            raise ClusterError(
                f"host {host.name}: has Kubernetes {found}, the bundle {version}; no cluster is taken to another "
                f"version: give a bundle of this one (idcbench bundle create --kubernetes {found})"
            )


def check_fits(state: State) -> None:
    """Raise :class:`ClusterError` where the inventory wants of members what cannot be changed on a living cluster.

    That is their roles and addresses, and the networks and the endpoint, which every host knows by heart.
    """
    if state.members and not state.exists:
        raise ClusterError(
            f"{', '.join(host.name for host in state.members)} are members of cluster {state.inventory.name}, and no "
            "control plane that was reached is: bring its control planes back, or begin anew: "
            f"idcbench down {state.inventory.path}"
        )
    for host in state.members:
        _check_role(state, host)
        if (there := state.facts[host.name].one("node_ip")) not in ("", host.node_address):
            raise ClusterError(
                f"host {host.name}: joined as {there}, the inventory has {host.node_address}; an address is not "
                f"changed in place: put the old one back, or take the host out first (idcbench node remove)"
            )
    for host in state.control_planes:
        _check_settings(state, host)


def _check_role(state: State, host: HostEntry) -> None:
    was = state.facts[host.name].was_control_plane
    if was != host.is_control_plane:
        names = ("a worker", "a control plane")
        raise ClusterError(
            f"host {host.name}: is {names[was]} of the cluster, the inventory says {names[not was]}; a role is not "
            "changed in place: put the old one back, idcbench node remove, then the new one and idcbench node add"
        )


def _check_settings(state: State, host: HostEntry) -> None:
    network, endpoint = state.inventory.network, state.inventory.endpoint
    there = state.facts[host.name].pairs("setting")
    for what, name, wanted in (
        ("endpoint", "controlPlaneEndpoint", f"{endpoint.address}:{endpoint.port}"),
        ("network.pods", "podSubnet", str(network.pods)),
        ("network.services", "serviceSubnet", str(network.services)),
        ("network.domain", "dnsDomain", network.domain),
    ):
        if (found := there.get(name, wanted)) != wanted:
            raise ClusterError(
                f"host {host.name}: cluster {state.inventory.name} was made with {what} {found}, the inventory says "
                f"{wanted}; every host knows it by heart: put {found} back, or make the cluster anew"
            )
