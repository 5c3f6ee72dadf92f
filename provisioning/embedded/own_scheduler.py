"""idcbench's own scheduler in an embedded cluster: one process on each control-plane host, one of which leads.

It is a program like the others here: started by its command line, with a certificate of its own. What it has to be
allowed it says itself (``idcbench scheduler manifests``), so that nothing here knows how it works.
"""

from __future__ import annotations

import json
from typing import Any

from ... import __version__
from ...cluster import ClusterSpec
from ...kube.session import ApiSession
from ...progress import Progress
from ..controlplane.certificates import OWN_SCHEDULER
from ..controlplane.endpoint import API_PORT
from ..controlplane.flags import Member
from ..scheduler_command import COMMAND, told
from .control import ask
from .layout import StateDirectory
from .plan import Program

COMPONENT = "idcbench-scheduler"
PORT = 10260
BESIDE = "idcbench"
"""The schedulerName that it serves beside kube-scheduler."""
RBAC = "/apis/rbac.authorization.k8s.io/v1"
PLURALS = {"Role": "roles", "RoleBinding": "rolebindings",
           "ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"}  # fmt: skip


def certificates(spec: ClusterSpec) -> tuple[str, ...]:
    """The client certificates that it needs a kubeconfig for, on each host."""
    return () if spec.scheduler == "kube-scheduler" else (OWN_SCHEDULER,)


def version(spec: ClusterSpec) -> dict[str, str]:
    """For the facts of a run that it took part in."""
    return {} if spec.scheduler == "kube-scheduler" else {COMPONENT: __version__}


def lease(spec: ClusterSpec) -> str:
    """The lease that it leads by: kube-scheduler's where it takes its place, so that never both lead."""
    return "kube-scheduler" if spec.scheduler == "idcbench" else COMPONENT


def leases(spec: ClusterSpec) -> tuple[str, ...]:
    """The lease that has to be held besides those of every cluster, if any."""
    return (lease(spec),) if spec.scheduler == "both" else ()


def programs(member: Member, spec: ClusterSpec) -> list[Program]:
    """The program of a host; none where kube-scheduler alone serves. It waits for its roles (:func:`allow`)."""
    if spec.scheduler == "kube-scheduler":
        return []
    argv = [
        *COMMAND,
        "run",
        f"--kubeconfig={member.etc / f'{OWN_SCHEDULER}.conf'}",
        *(f"--api-server=https://{address}:{API_PORT}" for address in _own_first(member)),
        f"--profile={spec.profile}",
        f"--lease-name={lease(spec)}",
        f"--bind-address={member.address}",
        f"--secure-port={PORT}",
        f"--tls-cert-file={member.pki / f'{OWN_SCHEDULER}.crt'}",
        f"--tls-private-key-file={member.pki / f'{OWN_SCHEDULER}.key'}",
        *([f"--scheduler-name={BESIDE}"] if spec.scheduler == "both" else []),
    ]
    return [Program(component=COMPONENT, argv=argv, held=True)]


async def prepare(spec: ClusterSpec, *, progress: Progress) -> None:
    """Have the kernels compiled before several processes would do it at the same time. Raises ``ClusterError``."""
    if spec.scheduler != "kube-scheduler":
        progress("making sure that the scheduler's kernels are compiled")
        await told("warm")


async def allow(api: ApiSession, spec: ClusterSpec) -> None:
    """Apply its roles. Raises ``ApiError`` or :class:`ClusterError`."""
    text = await told("manifests", f"--only-roles-for={OWN_SCHEDULER}", f"--lease-name={lease(spec)}", "--json")
    for obj in json.loads(text):
        await api.patch(
            path_of(obj), obj, content_type="application/apply-patch+yaml",
            query={"fieldManager": "idcbench", "force": "true"},
        )  # fmt: skip


async def start(state: StateDirectory, spec: ClusterSpec) -> None:
    """Start it on every host."""
    for number in range(1, spec.control_planes + 1):
        await ask(state.control, "start", host=f"cp{number}", component=COMPONENT)


def path_of(obj: dict[str, Any]) -> str:
    """Where the API has an RBAC object."""
    meta = obj["metadata"]
    within = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
    return f"{RBAC}{within}/{PLURALS[obj['kind']]}/{meta['name']}"


def _own_first(member: Member) -> list[str]:
    others = [address for name, address in member.peers.items() if name != member.name]
    return [member.address, *others]
