"""How KWOK's controller is called: which nodes are its own, how often they renew their leases."""

from __future__ import annotations

from pathlib import Path

from ..controlplane.timers import node_lease_s

STAGES = Path(__file__).with_name("stages.yaml")
"""KWOK's controller does nothing without stages; these are ours."""
MARK = ("kwok.x-k8s.io/node", "fake")
"""The annotation by which KWOK knows its nodes."""


def command(*, kubeconfig: Path, node_ip: str, nodes: int) -> list[str]:
    """KWOK's argument vector. Its nodes renew at a quarter of the lease's duration."""
    return [
        "kwok",
        f"--kubeconfig={kubeconfig}",
        f"--config={STAGES}",
        f"--manage-nodes-with-annotation-selector={MARK[0]}={MARK[1]}",
        f"--node-lease-duration-seconds={node_lease_s(nodes)}",
        f"--node-ip={node_ip}",
    ]
