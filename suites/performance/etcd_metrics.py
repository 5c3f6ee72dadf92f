"""What each member's etcd tells of itself: size of its database, fsync and commit, changes of the leader."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from idcbench.kube.session import ApiSession
from idcbench.measure.exposition import Reading, bucket_quantile, grown
from idcbench.measure.observer import ETCD_METRICS_PORT
from idcbench.plugin.live import LiveCluster
from idcbench.runs.directory import Run

FSYNC, COMMIT = "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds"
SIZE, IN_USE = "etcd_mvcc_db_total_size_in_bytes", "etcd_mvcc_db_total_size_in_use_in_bytes"
LEADER_CHANGES = "etcd_server_leader_changes_seen_total"
HISTOGRAMS = {
    FSYNC: ("cost.etcd_fsync", "how long etcd waited for its log to be on the disk"),
    COMMIT: ("cost.etcd_commit", "how long etcd took to write a batch to its database"),
}
QUANTILES = (0.5, 0.99)
Readings = Mapping[str, Reading]
"""By the name of the host."""


def read_etcds(cluster: LiveCluster) -> Readings:
    """What the etcd of every host tells now. Skips the test where they are out of reach."""
    if not cluster.hosts:
        pytest.skip(f"needs the control-plane hosts, which are out of reach on target {cluster.facts.target}")

    async def read(address: str) -> str:
        server = f"http://{address}:{ETCD_METRICS_PORT}"
        async with ApiSession(cluster.access, server=server, timeout_s=10.0) as api:
            return (await api.get("/metrics")).decode()

    names = (*HISTOGRAMS, SIZE, IN_USE, LEADER_CHANGES)
    return {host.name: Reading.of(cluster.portal.call(read(host.address)), names=names) for host in cluster.hosts}


def keep_etcds(run: Run, before: Readings, after: Readings, labels: Mapping[str, str]) -> None:
    """Write what happened in between, and the sizes afterwards, a value for each member."""
    for host, now in after.items():
        own = dict(labels) | {"member": host}
        for name, size in (("cost.etcd_db_size", now.values[SIZE]), ("cost.etcd_db_in_use", now.values[IN_USE])):
            run.series(
                name, unit="MiB", better="lower", labels=own,
                definition="etcd's database file" if now.values[SIZE] == size else "what of the file holds data",
            ).add(size / 2**20)  # fmt: skip
        changes = now.values[LEADER_CHANGES] - before[host].values[LEADER_CHANGES]
        run.series(
            "cost.etcd_leader_changes", unit="changes", better="lower", labels=own,
            definition="changes of etcd's leader that the member saw while pods were created",
        ).add(changes)  # fmt: skip
        for metric, (name, definition) in HISTOGRAMS.items():
            buckets = grown(before[host].buckets[metric], now.buckets[metric])
            for q in QUANTILES:
                if (found_s := bucket_quantile(q, buckets)) is not None:
                    run.series(
                        f"{name}_p{q * 100:g}", unit="ms", better="lower", labels=own,
                        definition=f"{definition}, while pods were created: quantile of {metric}, linear within its"
                        " bucket",
                    ).add(found_s * 1000)  # fmt: skip
