"""The metrics of a drill: unit, which way is better, and what exactly each is. Shown in the report."""

from __future__ import annotations

from idcbench.runs.schema import Better

OUTAGE = (
    "full outage of one fault: the longest time between two successive successful completions, from the last one before"
    " the fault on, less the stream's interval; known to within that interval"
)
HEADLINE = "failover.write_outage"
"""On new connections: what a comparison of two runs answers for."""
DEFINITIONS: dict[str, tuple[str, Better, str]] = {
    "failover.write_outage": ("ms", "lower", OUTAGE),
    "failover.read_outage": ("ms", "lower", OUTAGE),
    "failover.return_outage": ("ms", "lower", "the same, while what was lost comes back"),
    "failover.degraded_window": (
        "ms",
        "lower",
        "from the planned start of the first to that of the last request that did not succeed",
    ),
    "failover.worst_latency": (
        "ms",
        "lower",
        "longest latency, from the planned start; cut at the deadline",
    ),
    "failover.failed": (
        "requests",
        "lower",
        "requests that were refused, broke, or missed their deadline",
    ),
    "failover.unknown": (
        "requests",
        "lower",
        "writes sent and not answered in time: neither lost nor acknowledged",
    ),
    "failover.total": ("requests", "none", "requests planned from the fault to the end"),
    "failover.in_flight": (
        "requests",
        "none",
        "requests under way between the act and when it was complete",
    ),
    "failover.in_flight_failed": ("requests", "lower", "those of them that did not succeed"),
    "failover.failed_after_fault": (
        "requests",
        "lower",
        "requests that started when the fault was complete, as the observer saw it, and did not succeed",
    ),
    "failover.member_back": (
        "ms",
        "lower",
        "from the fault, or from when the lost host began to come back, until its API server is ready and its etcd has"
        " applied what the leader had committed; looked at every 100 ms",
    ),
    "failover.virtual_ip_moved": ("ms", "lower", "from the fault until another host took the virtual IP"),
    "failover.watch_latency": (
        "ms",
        "lower",
        "from the planned start of an acknowledged write to the arrival of its event at a watch through the endpoint",
    ),
    "failover.acknowledged": ("writes", "none", "writes that were acknowledged while the fault went on"),
    "failover.lost": ("writes", "lower", "those of them that were not there when everything was read back"),
    "failover.watch_connections": (
        "connections",
        "lower",
        "connections the watch needed; 1 when it never resumed",
    ),
    "measure.probe_cpu_share": ("ratio", "lower", "CPU time of the probe's process, of the whole machine"),
    "measure.probe_lag_p99": ("ms", "lower", "99th percentile of how late the probe started its requests"),
    "measure.observer_cpu_share": ("ratio", "lower", "CPU time of the observer's process, of the whole machine"),
}
