"""The pod network: flannel over vxlan, with its rules in nftables.

The image is the bundle's: a second container in each pod writes the host's CNI configuration when flannel knows the
host's addresses, so that a node is Ready when pods can talk, and no CNI plugin of flannel's own is needed.
"""

from __future__ import annotations

import json

from .template import Manifest, render

VXLAN_PORT = 8472
"""UDP, between all hosts: what Linux and flannel take when nothing else is said."""


def manifests(*, image: str, pods: str, endpoint: str, port: int) -> list[Manifest]:
    """``pods`` is the network that is cut up for the nodes (``10.244.0.0/16``).

    ``endpoint`` and ``port`` are where hosts reach the API server: flannel does not wait for kube-proxy. Traffic goes
    by the interface that has the node's address.
    """
    network = {"Network": pods, "EnableNFTables": True, "Backend": {"Type": "vxlan", "Port": VXLAN_PORT}}
    return render("flannel.yaml", image=image, network=json.dumps(network), endpoint=endpoint, port=str(port))
