"""How long calls take, by verb, resource and scope, at a stated load: as clients see it, and as the servers do."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client
from idcbench.measure.exposition import bucket_quantile
from idcbench.measure.loader import LoadResult, run_load
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress
from idcbench.runs.directory import Run

from .api_calls import MAKERS, Sort, even_plan, make, sorts_of
from .ground import own_namespaces
from .load_quality import keep_quality
from .objectives import judge, of_call
from .server_view import HISTOGRAM, Views, grown_views, read_views
from .sizes import scaled

pytestmark = pytest.mark.idc_measuring
EACH, RATE_PER_S = 700, 100.0
"""Calls of each sort, and a second in all; a p99 takes 299 of a sort, a scale of 0.43."""
LISTED = 50
FILL_LIMIT_S = 600.0
LATENCY = "from the planned start of a call to its whole answer, in a Poisson load of all sorts at once"
HEADLINES = (("POST", "pods"),)
QUANTILES = (0.5, 0.99)


def test_api_latency(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress
) -> None:
    """Objects of usual size are read, listed, created, replaced, patched and deleted at random times."""
    each = scaled(EACH, idc_scale, least=5)
    with own_namespaces(idc_client, 2) as [churned, listed]:
        sorts: list[Sort] = []
        for maker in MAKERS:
            idc_progress("objects are created", total=2 * each + LISTED, unit="objects")
            idc_cluster.portal.call(make(idc_cluster.access, maker(listed), range(LISTED)), timeout_s=FILL_LIMIT_S)
            create = maker(churned)
            idc_cluster.portal.call(make(idc_cluster.access, create, range(2 * each)), timeout_s=FILL_LIMIT_S)
            sorts += sorts_of(create, churned=churned, listed=listed)
        plan = even_plan(sorts, each=each, rate_per_s=RATE_PER_S)
        idc_progress("calls are sent", total=plan.duration_s, unit="s")
        before = read_views(idc_cluster)
        load = run_load(idc_cluster.access, plan)
        after = read_views(idc_cluster)
    keep_quality(idc_record.run, load, of="api latency")
    rate = {"rate": f"{RATE_PER_S:g}", "each": str(each)}
    for sort in sorts:
        _keep(idc_record.run, sort, load, rate)
    _keep_servers(idc_record.run, sorts, before, after, rate)


def _keep(run: Run, sort: Sort, load: LoadResult, rate: dict[str, str]) -> None:
    labels = sort.labels | rate
    values_ms, sent = load.latency_ms(sort.call.name), load.of(sort.call.name)
    run.series(
        "api.latency", unit="ms", better="lower", labels=labels, definition=LATENCY,
        headline=(sort.verb, sort.resource) in HEADLINES,
    ).add_many(values_ms, sent["completed_ns"].tolist())  # fmt: skip
    judge(run, of_call(sort.verb, sort.scope), values_ms, metric="api.latency", labels=labels)


def _keep_servers(run: Run, sorts: list[Sort], before: Views, after: Views, rate: dict[str, str]) -> None:
    views = grown_views(before, after)
    for sort in sorts:
        buckets = views.get((sort.verb, sort.resource, sort.scope, ""), {})
        for q in QUANTILES:
            if (found_s := bucket_quantile(q, buckets)) is not None:
                run.series(
                    f"api.latency_by_server_p{q * 100:g}", unit="ms", better="lower", labels=sort.labels | rate,
                    definition=f"the same calls, and those of others meanwhile: quantile of {HISTOGRAM} of all members,"
                    " without webhooks and the queues of priority and fairness, linear within its bucket",
                ).add(found_s * 1000)  # fmt: skip
