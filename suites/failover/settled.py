"""Waiting until nodes and pods are what they were before something was broken."""

from __future__ import annotations

from idcbench.kube.crud import Client, Manifest
from idcbench.suites.functional.states import has_condition

is_ready = has_condition("Ready")
"""Whether a node or a pod is, also one that is on its way out."""


def wait_until_nodes_ready(client: Client, count: int, *, timeout_s: float) -> None:
    """Until ``count`` nodes are ready. Raises ``TimeoutError`` with what was last seen."""
    client.wait_for_list(
        "Node", lambda nodes: sum(map(is_ready, nodes)) >= count, timeout_s=timeout_s, what=f"{count} ready"
    )


def wait_until_pods_ready(client: Client, namespace: str, *, timeout_s: float) -> None:
    """Until every pod of a namespace that has not ended is ready. Raises ``TimeoutError``."""

    def settled(pods: list[Manifest]) -> bool:
        living = [pod for pod in pods if pod.get("status", {}).get("phase") != "Succeeded"]
        return bool(living) and all(map(is_ready, living))

    client.wait_for_list("Pod", settled, namespace, timeout_s=timeout_s, what="all ready")
