"""How the process reaches the API: by a kubeconfig, or by the service account of the pod that it runs in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from idcbench.kube.access import Access
from idcbench.kube.kubeconfig import access_from_kubeconfig

from ...errors import UsageError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where kubelet mounts the token, the CA and the namespace."""


def find_access(kubeconfig: Path | None, *, members: Sequence[str] = (), context: str = "") -> Access:
    """The given kubeconfig, else the pod's service account, else kubectl's own defaults.

    ``members`` are URLs of single API servers, which are used side by side. Raises :class:`UsageError`.
    """
    if kubeconfig is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
        access = in_cluster()
    else:
        access = access_from_kubeconfig(kubeconfig, context or None)
    for url in members:
        if not url.startswith(("https://", "http://")):
            raise UsageError(f"--api-server: a URL like https://HOST:6443 is wanted; found {url!r}")
    return replace(access, members=tuple(url.rstrip("/") for url in members)) if members else access


def in_cluster(folder: Path = SERVICE_ACCOUNT) -> Access:
    """The API as a pod reaches it. Raises :class:`UsageError` when there is no service account in it."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    for name in ("token", "ca.crt"):
        if not (folder / name).is_file():
            raise UsageError(
                f"{folder / name}: wanted, since KUBERNETES_SERVICE_HOST says that this is a pod; found nothing: "
                "give the pod a service account with automountServiceAccountToken, or a file with --kubeconfig"
            )
    return Access(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        kubeconfig=folder / "kubeconfig",
        ca_file=folder / "ca.crt",
        token_file=folder / "token",
    )


def own_namespace(folder: Path = SERVICE_ACCOUNT) -> str:
    """The namespace of the pod that this runs in; empty elsewhere."""
    try:
        return (folder / "namespace").read_text().strip()
    except OSError:
        return ""
