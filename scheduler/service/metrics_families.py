"""Every metric family that is exposed: name, type, labels, buckets.

Those with a stability are kube-scheduler 1.37's under its own names, so that dashboards work; sources:
pkg/scheduler/metrics/metrics.go, component-base/metrics and what its process registers besides (an integration test
compares with a scrape of it). A family with labels and nothing to count has no samples, as there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Family:
    """``buckets`` are the upper bounds of a histogram without +Inf; ``stability`` is empty for a metric of our own."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    stability: Literal["STABLE", "BETA", "ALPHA", ""] = ""
    buckets: tuple[float, ...] = ()

    @property
    def documentation(self) -> str:
        return f"[{self.stability}] {self.help}" if self.stability else self.help


def doubling(first: float, count: int, *, factor: float = 2) -> tuple[float, ...]:
    """``count`` bounds, each ``factor`` times the one before, reckoned as Go does it, so that the text is the same."""
    bounds = [first]
    while len(bounds) < count:
        bounds.append(bounds[-1] * factor)
    return tuple(bounds)


_CLASSIC = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ATTEMPT = doubling(0.001, 15)

# fmt: off
SCHEDULE_ATTEMPTS = Family(
    "scheduler_schedule_attempts_total", "counter", "Attempts to place a pod, by how they ended.",
    ("result", "profile"), "STABLE",
)
ATTEMPT_DURATION = Family(
    "scheduler_scheduling_attempt_duration_seconds", "histogram",
    "From taking a pod out of the queue until it is bound or refused.", ("result", "profile"), "STABLE", _ATTEMPT,
)
ALGORITHM_DURATION = Family(
    "scheduler_scheduling_algorithm_duration_seconds", "histogram",
    "Deciding one pod; pods are decided in batches, and each counts with its share.", (), "BETA", _ATTEMPT,
)
VICTIMS = Family(
    "scheduler_preemption_victims", "histogram", "Pods taken away for one pod.", (), "STABLE", doubling(1, 7)
)
PREEMPTION_ATTEMPTS = Family(
    "scheduler_preemption_attempts_total", "counter", "How often victims were looked for.", (), "STABLE"
)
PENDING = Family("scheduler_pending_pods", "gauge", "Pods that wait, by queue.", ("queue",), "STABLE")
QUEUED_ENTITIES = Family(
    "scheduler_queued_entities", "gauge", "Gangs that wait, by queue.", ("queue", "type"), "ALPHA"
)
GOROUTINES = Family("scheduler_goroutines", "gauge", "Bindings that are in flight.", ("operation",), "BETA")
SLI_DURATION = Family(
    "scheduler_pod_scheduling_sli_duration_seconds", "histogram",
    "From a pod's first entry into the queue until it is bound, by the attempts that took.",
    ("attempts",), "BETA", doubling(0.01, 20),
)
SCHEDULING_ATTEMPTS = Family(
    "scheduler_pod_scheduling_attempts", "histogram", "Attempts that a bound pod took.", (), "STABLE", doubling(1, 5)
)
AFTER_FLUSH = Family(
    "scheduler_pod_scheduled_after_flush_total", "counter",
    "Pods that no event had brought back and that found a node when they were tried again after five minutes.",
    (), "ALPHA",
)
EXTENSION_POINT = Family(
    "scheduler_framework_extension_point_duration_seconds", "histogram", "Time in an extension point.",
    ("extension_point", "status", "profile"), "STABLE", doubling(0.0001, 12),
)
QUEUE_INCOMING = Family(
    "scheduler_queue_incoming_pods_total", "counter", "Pods that came into a queue, by what brought them.",
    ("queue", "event"), "STABLE",
)
PERMIT_WAIT = Family(
    "scheduler_permit_wait_duration_seconds", "histogram", "How long a gang waited for its members.",
    ("result",), "BETA", _ATTEMPT,
)
CACHE_SIZE = Family("scheduler_cache_size", "gauge", "Nodes, pods and assumed pods that are kept.", ("type",), "ALPHA")
UNSCHEDULABLE = Family(
    "scheduler_unschedulable_pods", "gauge", "Pods that wait, by each plugin that refused them.",
    ("plugin", "profile"), "BETA",
)
PDB_VIOLATIONS = Family(
    "scheduler_preemption_pdb_violations_total", "counter",
    "Disruption budgets that were violated because there was no other way.", ("preemptor",), "ALPHA",
)
MASTER_STATUS = Family(
    "leader_election_master_status", "gauge", "1 on the leader and 0 on a stand-by, by lease.", ("name",), "ALPHA"
)
REQUESTS = Family(
    "rest_client_requests_total", "counter", "Requests to the API server, by status and verb.",
    ("code", "method", "host"), "ALPHA",
)
BUILD_INFO = Family(
    "kubernetes_build_info", "gauge", "Always 1; the labels say what runs.",
    ("build_date", "compiler", "git_commit", "git_tree_state", "git_version", "go_version", "major", "minor",
     "platform"), "BETA",
)
FEATURE = Family("kubernetes_feature_enabled", "gauge", "Feature gates; none here.", ("name", "stage"), "BETA")
REGISTERED = Family(
    "registered_metrics_total", "counter", "Metric families by stability.", ("stability_level", "deprecated_version"),
    "BETA",
)
WORKQUEUE_DEPTH = Family("workqueue_depth", "gauge", "Events that wait to be written.", ("name",), "BETA")
HEALTHCHECK = Family("kubernetes_healthcheck", "gauge", "1 when a check holds.", ("name", "type"), "STABLE")
HEALTHCHECKS = Family(
    "kubernetes_healthchecks_total", "counter", "Checks made, by outcome.", ("name", "type", "status"), "STABLE"
)

BINDINGS = Family("idcbench_scheduler_bindings_total", "counter", "Bindings by how they were settled.", ("outcome",))
BINDING_DURATION = Family(
    "idcbench_scheduler_binding_duration_seconds", "histogram",
    "From sending a binding until it was settled.", ("outcome",), "", _ATTEMPT,
)
EVENTS = Family("idcbench_scheduler_events_total", "counter", "Events that the API server took.", ("reason",))
EVENTS_DROPPED = Family(
    "idcbench_scheduler_events_dropped_total", "counter", "Events that are lost, by why.", ("reason", "why")
)
EVENTS_WAITING = Family("idcbench_scheduler_events_waiting", "gauge", "Events that wait to be written.")
COMPILE_MISSES = Family(
    "idcbench_scheduler_compile_misses_total", "counter", "Kernels that were not in the cache and had to be compiled."
)
LEADER = Family("idcbench_scheduler_leader", "gauge", "1 when this process decides, also without election.")
GANGS = Family("idcbench_scheduler_pending_gangs", "gauge", "Gangs that wait, by queue.", ("queue",))

OF_LIBRARIES: tuple[Family, ...] = (
    Family("apiserver_cel_compilation_duration_seconds", "histogram", "No CEL here.", (), "BETA", _CLASSIC),
    Family("apiserver_cel_evaluation_duration_seconds", "histogram", "No CEL here.", (), "BETA", _CLASSIC),
    Family("apiserver_validation_declarative_validation_mismatch_total", "counter", "No such checks here.", (), "BETA"),
    Family("apiserver_validation_declarative_validation_panic_total", "counter", "No such checks here.", (), "BETA"),
    Family("apiserver_webhooks_x509_insecure_sha1_total", "counter", "No webhooks here.", (), "BETA"),
    Family("apiserver_webhooks_x509_missing_san_total", "counter", "No webhooks here.", (), "BETA"),
    Family("disabled_metrics_total", "counter", "Metrics cannot be switched off here.", (), "BETA"),
    Family("hidden_metrics_total", "counter", "No metric is hidden.", (), "BETA"),
    Family("workqueue_adds_total", "counter", "No client-go work queues here.", ("name",), "BETA"),
    Family(
        "workqueue_longest_running_processor_seconds", "gauge", "No client-go work queues here.", ("name",), "BETA"
    ),
    Family(
        "workqueue_queue_duration_seconds", "histogram", "No client-go work queues here.", ("name",), "BETA",
        doubling(10e-9, 10, factor=10),
    ),
    Family("workqueue_retries_total", "counter", "No client-go work queues here.", ("name",), "BETA"),
    Family("workqueue_unfinished_work_seconds", "gauge", "No client-go work queues here.", ("name",), "BETA"),
    Family(
        "workqueue_work_duration_seconds", "histogram", "No client-go work queues here.", ("name",), "BETA",
        doubling(10e-9, 10, factor=10),
    ),
    Family(
        "scheduler_plugin_execution_duration_seconds", "histogram",
        "No samples: all plugins of a pod are computed together, so none has a time of its own.",
        ("plugin", "extension_point", "status"), "BETA", doubling(0.00001, 20, factor=1.5),
    ),
    Family(
        "scheduler_plugin_evaluation_total", "counter",
        "No samples: results are kept per class of pods and repaired, so plugins are not evaluated pod by pod.",
        ("plugin", "extension_point", "profile"), "BETA",
    ),
)
# fmt: on
"""What kube-scheduler's libraries expose and this process has nothing to put in; without labels they stay 0."""
