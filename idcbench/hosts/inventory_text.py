"""The text of a new inventory, with the settings that people change explained in it."""

from __future__ import annotations

from collections.abc import Sequence


def template(
    *, name: str, endpoint: str, control_planes: Sequence[str], workers: Sequence[str], user: str, key: str
) -> str:  # fmt: skip
    """An inventory for machines by their addresses; ``cp1``, ``cp2`` …, ``w1`` … are their names.

    Without ``endpoint`` each host has a balancer of its own.
    """
    hosts = [
        f"  {kind}{number}: {{address: {address}, groups: [{group}]}}"
        for kind, group, addresses in (("cp", "control-plane", control_planes), ("w", "worker", workers))
        for number, address in enumerate(addresses, start=1)
    ]
    login = [f"  user: {user}", f"  key: {key}" if key else "  # key: ~/.ssh/id_ed25519     # else the agent's keys"]
    login.append(f"  sudo: {'false' if user == 'root' else 'true'}")
    head = _CLUSTER.format(name=name, endpoint=_KEEPALIVED.format(address=endpoint) if endpoint else _LOCAL)
    return "\n".join([*head.splitlines(), *login, *_REST, *hosts, ""])


_CLUSTER = """\
# The machines of a cluster. All settings: docs/hosts.md of idcbench; `idcbench inventory check` reads this file.
cluster:
  name: {name}
  kubernetes: "1.37"
  profile: default               # fast, default, slow-disk: all timers together
  disruptive: false              # true: tests may break this cluster
  endpoint:
{endpoint}
    port: 8443
  network:
    pods: 10.244.0.0/16
    services: 10.96.0.0/16
    plugin: flannel              # or none, or the path of a manifest
defaults:                        # for every host, unless its group or the host itself says otherwise"""
_KEEPALIVED = """\
    mode: keepalived             # or external (your own load balancer), local-lb (one on every host, no address)
    address: {address}          # a free address of the control planes' network"""
_LOCAL = """\
    mode: local-lb               # a balancer on every host; or keepalived, external, which have an address"""
_REST = (
    "  # sudo_password: env:SUDO_PASSWORD        # or file:PATH; never the password itself",
    "  # known_hosts: ~/.ssh/known_hosts",
    "  # jump: admin@gateway.example:22",
    "# groups:",
    "#   rack-a: {labels: {topology.kubernetes.io/zone: rack-a}}",
    "hosts:                           # the names become those of the nodes; control-plane and worker are roles",
)
