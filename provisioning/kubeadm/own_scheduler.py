"""idcbench's scheduler on hosts: a Deployment beside kube-scheduler, or in its place, whose static pods then rest."""

from __future__ import annotations

from ...errors import ClusterError
from ...hosts.inventory import Inventory
from ..scheduler_command import told
from . import paths
from .wanted import Supplies

IMAGE = "idcbench-scheduler"
DEPLOYMENT = "deployment/idcbench-scheduler"
NAMESPACE = "kube-system"
REPLACED = "kube-scheduler"
NAME = "scheduler"
"""Among what the cluster carries (:mod:`.carried`)."""
READY_S = 180
MANIFEST = f"{paths.ETC}/manifests/{REPLACED}.yaml"
RESTING = f"{paths.OWN}/resting/{REPLACED}.yaml"
"""Where its manifest lies while it does not serve; in kubelet's own file system, so that it is moved whole."""
REST = f"""\
[ ! -e {MANIFEST} ] || {{ mkdir -p {paths.OWN}/resting; mv {MANIFEST} {RESTING}; }}
"""
WAKE = f"[ ! -e {RESTING} ] || mv {RESTING} {MANIFEST}\n"


async def manifest(inventory: Inventory, supplies: Supplies) -> str:
    """What runs it; nothing where kube-scheduler alone serves. Raises :class:`ClusterError` without its image."""
    if inventory.scheduler == "kube-scheduler":
        return ""
    try:
        image = supplies.image(IMAGE)
    except KeyError:
        raise ClusterError(
            f"cluster.scheduler is {inventory.scheduler}, but the bundle has no image {IMAGE}; make it, and create the "
            "bundle with it: idcbench scheduler image -o scheduler.tar; idcbench bundle create --image scheduler.tar"
        ) from None
    replicas = min(2, len(inventory.hosts))
    arguments = [f"--image={image}", f"--replicas={replicas}", f"--profile={inventory.profile}"]
    if inventory.scheduler == "idcbench":
        arguments += ["--scheduler-name=default-scheduler", f"--lease-name={REPLACED}"]
    return await told("manifests", *arguments)
