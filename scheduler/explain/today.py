"""An explanation without a running scheduler: the cluster is read, and the pod is evaluated on what it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from idcbench.kube.access import Access
from idcbench.kube.apierror import ApiError
from idcbench.kube.known import EventType
from idcbench.kube.listing import MISFITS
from idcbench.kube.session import ApiSession

from ...errors import ClusterError
from ..engine.engine import ClusterEngine
from ..objects import Pod
from ..policy import Policy
from ..service.feed import Feed
from ..service.resources import Source
from ..service.settings import FeedSettings
from .record import Explained


async def explain_today(access: Access, policies: Sequence[Policy], *, namespace: str, pod: str) -> Explained:
    """Read everything but the pod itself, and evaluate it. Raises :class:`ClusterError` when there is no such pod."""
    engine = ClusterEngine(policies)
    async with ApiSession(access) as api:
        found = await read_pod(api, namespace, pod)
        if found is None:
            raise ClusterError(f"there is no pod {namespace}/{pod}; `kubectl get pods -A` lists them")

        def hear(source: Source, _: EventType, obj: Any) -> None:
            if obj.metadata.uid != found.metadata.uid:
                engine.set(source.resource, obj)

        await Feed(api, FeedSettings(), hear).fill()
    node = found.spec.node_name or None
    return Explained(
        pod=found.key,
        scheduler="this command",
        leader=True,
        bound_to=node,
        now=replace(engine.explain(found), chosen=node),
    )


async def read_pod(api: ApiSession, namespace: str, name: str) -> Pod | None:
    """The pod as it is now. Raises ``ApiError`` unless it is there or known to be not."""
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    try:
        return await api.read(Pod, path)
    except MISFITS as error:
        raise ApiError(0, "Garbled", f"the answer is no pod ({error}); is {api.server} an API server?", path) from None
    except ApiError as error:
        if error.status == 404:
            return None
        raise
