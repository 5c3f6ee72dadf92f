"""A host asks at its start whether it was removed meanwhile; then neither kubelet nor the endpoint start there.

The policy in the cluster (:mod:`..addons.removed`) keeps its node out in any case. This keeps the virtual IP from a
control plane that was removed while it was off, and would take the address for want of answers from its old peers.
"""

from __future__ import annotations

from ..addons.removed import NAMES
from . import paths

SCRIPT = f"{paths.OWN}/guard"
UNIT = "/etc/systemd/system/idcbench-guard.service"
ASK_S = 5
SERVICE = f"""\
# written by idcbench
[Unit]
Description=idcbench: whether this host is still one of its cluster
After=network-online.target haproxy.service
Wants=network-online.target
Before=kubelet.service keepalived.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={SCRIPT}

[Install]
RequiredBy=kubelet.service keepalived.service
"""
NAME = f"{paths.OWN}/name"
"""The name of the host's node."""


def script(endpoint: str) -> str:
    """What asks at ``endpoint``, as a control plane's own credentials name its own API server, which is not up yet."""
    return f"""\
#!/bin/sh
# May this host be what it was? Asked at its start, with its own credentials; written by idcbench.
# Where nobody answers it may: when all hosts start at once, somebody has to be the first.
credentials={paths.ETC}/kubelet.conf
[ -e "$credentials" ] || exit 0
name=$(cat {paths.OWN}/name) || exit 0
removed=$(timeout {ASK_S} kubectl --kubeconfig "$credentials" --server https://{endpoint} \\
    --cache-dir /run/idcbench-guard get configmap {NAMES} --namespace kube-system \\
    --ignore-not-found --output json 2>/dev/null) || exit 0
case $removed in
*'"'"$name"'"'*)
    echo "host $name was removed from this cluster; idcbench node add takes it in again" >&2
    exit 1 ;;
esac
"""
