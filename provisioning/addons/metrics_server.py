"""Resource metrics for `kubectl top` and autoscalers, with TLS that is checked on both sides."""

from __future__ import annotations

from .serving import Serving
from .template import Manifest, render

SERVING_NAMES = ("metrics-server.kube-system.svc", "metrics-server.kube-system.svc.cluster.local")
"""What its certificate is to be for: by such a name the API server calls it."""


def manifests(*, image: str, serving: Serving) -> list[Manifest]:
    """kubelets have to serve with certificates of the cluster's CA (``serverTLSBootstrap``): others are refused."""
    return render("metrics_server.yaml", image=image, **serving.encoded())
