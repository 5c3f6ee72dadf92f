"""Resource metrics for `kubectl top` and autoscalers, with TLS that is checked on both sides."""

from __future__ import annotations

from .serving import Server, Serving
from .template import Manifest, render

SERVER = Server(
    namespace="kube-system",
    name="metrics-server",
    names=("metrics-server.kube-system.svc", "metrics-server.kube-system.svc.cluster.local"),
)
"""By such a name the API server calls it."""


def manifests(*, image: str, serving: Serving) -> list[Manifest]:
    """kubelets have to serve with certificates of the cluster's CA (``serverTLSBootstrap``): others are refused."""
    return render("metrics_server.yaml", image=image, **serving.encoded())
