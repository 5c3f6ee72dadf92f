"""How long the API servers themselves say that calls took: their histogram of the SLI, over a time."""

from __future__ import annotations

from collections.abc import Mapping

from idcbench.kube.session import ApiSession
from idcbench.measure.exposition import Buckets, buckets_by
from idcbench.plugin.live import LiveCluster

HISTOGRAM = "apiserver_request_sli_duration_seconds"
"""Without webhooks and without waiting in the queues of priority and fairness, as SIG Scalability defines it."""
LABELS = ("verb", "resource", "scope", "subresource")
Calls = tuple[str, ...]
Views = Mapping[str, Mapping[Calls, Buckets]]
"""By the URL of the member, then by verb, resource, scope and subresource."""


def read_views(cluster: LiveCluster) -> Views:
    """What every API server tells now; of an endpoint whose members are out of reach, what the one that answers does.

    Of several members behind one such endpoint two readings would be of different ones: then there is none.
    """
    servers = cluster.access.members or ((cluster.access.server,) if cluster.facts.control_planes == 1 else ())
    return {server: _read(cluster, server) for server in servers}


def grown_views(before: Views, after: Views) -> dict[Calls, Buckets]:
    """What was counted in between, of all members. Raises ``ValueError`` when one was started anew."""
    found: dict[Calls, dict[float, float]] = {}
    for server, views in after.items():
        for calls, buckets in views.items():
            total, old = found.setdefault(calls, {}), before[server].get(calls, {})
            for bound, count in buckets.items():
                if count < old.get(bound, 0.0):
                    raise ValueError(f"{server}: its counts fell: it was started anew in between")
                total[bound] = total.get(bound, 0.0) + count - old.get(bound, 0.0)
    return dict(found)


def _read(cluster: LiveCluster, server: str) -> Mapping[Calls, Buckets]:
    async def read() -> str:
        async with ApiSession(cluster.access, server=server, timeout_s=10.0) as api:
            return (await api.get("/metrics")).decode()

    return buckets_by(cluster.portal.call(read(), timeout_s=30.0), HISTOGRAM, LABELS)
