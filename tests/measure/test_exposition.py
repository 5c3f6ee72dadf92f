"""Metrics in Prometheus' text form: what is read of them, and what a histogram gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.measure.exposition import Reading, bucket_quantile, buckets_by, grown

TEXT = """\
# HELP etcd_disk_wal_fsync_duration_seconds The latency distributions of fsync called by WAL.
# TYPE etcd_disk_wal_fsync_duration_seconds histogram
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 3
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 9
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 10
etcd_disk_wal_fsync_duration_seconds_sum 0.02
etcd_disk_wal_fsync_duration_seconds_count 10
# TYPE etcd_mvcc_db_total_size_in_bytes gauge
etcd_mvcc_db_total_size_in_bytes 1.2e+06
# TYPE etcd_server_leader_changes_seen_total counter
etcd_server_leader_changes_seen_total 1
# TYPE other gauge
other{path="a b"} 1
other{path="c"} 2
"""
FSYNC = "etcd_disk_wal_fsync_duration_seconds"


def test_what_is_asked_for_is_read_and_nothing_else() -> None:
    names = (FSYNC, "etcd_mvcc_db_total_size_in_bytes", "etcd_server_leader_changes_seen_total", "other", "missing")
    found = Reading.of(TEXT, names=names)
    assert found.values == {
        "etcd_mvcc_db_total_size_in_bytes": 1.2e6, "etcd_server_leader_changes_seen_total": 1.0, "other": 3.0,
    }  # fmt: skip
    assert found.buckets == {FSYNC: {0.001: 3.0, 0.002: 9.0, math.inf: 10.0}}
    assert Reading.of(TEXT, names=("other",)).buckets == {}


def test_only_what_came_in_between_counts() -> None:
    before, after = {0.001: 3.0, math.inf: 4.0}, {0.001: 5.0, 0.002: 7.0, math.inf: 8.0}
    assert grown(before, after) == {0.001: 2.0, 0.002: 7.0, math.inf: 4.0}
    with pytest.raises(ValueError, match="anew"):
        grown(after, before)


def test_a_quantile_is_linear_within_its_bucket() -> None:
    buckets = {1.0: 0.0, 2.0: 10.0, 4.0: 10.0, math.inf: 20.0}
    assert bucket_quantile(0.25, buckets) == 1.5
    assert bucket_quantile(0.5, buckets) == 2.0
    assert bucket_quantile(0.99, buckets) == 4.0, "above the last bound nothing is known but that"
    assert bucket_quantile(0.5, {}) is None
    assert bucket_quantile(0.5, {1.0: 0.0, math.inf: 0.0}) is None


@given(values=st.lists(st.floats(0.001, 9.9), min_size=1, max_size=50), q=st.sampled_from([0.5, 0.9, 0.99]))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], q: float) -> None:
    bounds = [0.01, 0.1, 1.0, 10.0]
    buckets = {bound: float(sum(value <= bound for value in values)) for bound in bounds} | {math.inf: len(values)}
    true = float(np.quantile(values, q, method="inverted_cdf"))
    found = bucket_quantile(q, buckets)
    at = next(at for at, bound in enumerate(bounds) if true <= bound)
    assert found is not None
    assert (bounds[at - 1] if at else 0.0) <= found <= bounds[at] * (1 + 1e-9)


def test_one_histogram_by_some_of_its_labels() -> None:
    text = (
        '# TYPE calls_seconds histogram\n'
        'calls_seconds_bucket{verb="GET",group="",le="0.1"} 2\n'
        'calls_seconds_bucket{verb="GET",group="",le="+Inf"} 3\n'
        'calls_seconds_bucket{verb="GET",group="apps",le="0.1"} 5\n'
        'calls_seconds_bucket{verb="GET",group="apps",le="+Inf"} 5\n'
        'calls_seconds_bucket{verb="PUT",group="apps",le="+Inf"} 1\n'
        'calls_seconds_more_bucket{verb="GET",le="+Inf"} 9\n'
        'calls_seconds_sum{verb="GET",group=""} 9\n'
    )  # fmt: skip
    assert buckets_by(text, "calls_seconds", ("verb", "code")) == {
        ("GET", ""): {0.1: 7.0, float("inf"): 8.0},
        ("PUT", ""): {float("inf"): 1.0},
    }
