"""The metrics: what is counted comes out under the right name, labels and buckets."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from idcbench.scheduler.service.measures import Gauges, Measures
from idcbench.scheduler.service.metrics import ServiceMetrics
from idcbench.scheduler.service.metrics_families import doubling

GAUGES = Gauges(
    pending={"active": 3, "backoff": 0, "unschedulable": 2, "gated": 1, "incomplete": 0},
    pending_gangs={"active": 1, "backoff": 0, "unschedulable": 0, "gated": 0, "incomplete": 0},
    unschedulable={("NodeResourcesFit", "default-scheduler"): 2},
    cached_nodes=5,
    cached_pods=7,
    assumed_pods=1,
    bindings_in_flight=4,
    events_waiting=6,
    leader=True,
)


def samples(metrics: ServiceMetrics) -> dict[str, float]:
    """``name{label=value,…}`` to value."""
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_it_is_a_sink_of_the_service() -> None:
    sink: Measures = ServiceMetrics()
    sink.leading(leader=True)


def test_an_attempt_counts_once_and_in_its_bucket() -> None:
    metrics = ServiceMetrics()
    metrics.attempt("scheduled", profile="p", duration_s=0.002)
    metrics.attempt("unschedulable", profile="p", duration_s=100)
    found = samples(metrics)
    assert found["scheduler_schedule_attempts_total{profile=p,result=scheduled}"] == 1
    bucket = "scheduler_scheduling_attempt_duration_seconds_bucket{{le={},profile=p,result={}}}"
    assert found[bucket.format("0.001", "scheduled")] == 0
    assert found[bucket.format("0.002", "scheduled")] == 1
    assert found[bucket.format("+Inf", "scheduled")] == 1
    assert found[bucket.format("16.384", "unschedulable")] == 0
    assert found[bucket.format("+Inf", "unschedulable")] == 1
    assert found["scheduler_scheduling_attempt_duration_seconds_sum{profile=p,result=unschedulable}"] == 100


def test_a_batch_counts_each_pod_with_its_share() -> None:
    metrics = ServiceMetrics()
    metrics.algorithm(pods=4, duration_s=0.002)
    metrics.algorithm(pods=0, duration_s=0.1)
    found = samples(metrics)
    assert found["scheduler_scheduling_algorithm_duration_seconds_count{}"] == 4
    assert found["scheduler_scheduling_algorithm_duration_seconds_bucket{le=0.001}"] == 4
    assert found["scheduler_scheduling_algorithm_duration_seconds_sum{}"] == 0.002


def test_attempts_from_fifteen_on_share_a_label() -> None:
    metrics = ServiceMetrics()
    for attempts in (1, 14, 15, 99):
        metrics.pod_scheduled(attempts=attempts, latency_s=1, after_flush=attempts == 99)
    found = samples(metrics)
    name = "scheduler_pod_scheduling_sli_duration_seconds_count{{attempts={}}}"
    assert [found[name.format(label)] for label in ("1", "14", "15+")] == [1, 1, 2]
    assert found["scheduler_pod_scheduled_after_flush_total{}"] == 1
    assert found["scheduler_pod_scheduling_attempts_bucket{le=16.0}"] == 3


def test_the_state_is_asked_for_at_the_scrape() -> None:
    metrics = ServiceMetrics(lease="ours")
    assert "scheduler_cache_size{type=nodes}" not in samples(metrics)
    metrics.ask(lambda: GAUGES)
    metrics.leading(leader=True)
    found = samples(metrics)
    assert found["scheduler_pending_pods{queue=active}"] == 3
    assert found["scheduler_cache_size{type=nodes}"] == 5
    assert found["scheduler_goroutines{operation=binding}"] == 4
    assert found["scheduler_unschedulable_pods{plugin=NodeResourcesFit,profile=default-scheduler}"] == 2
    assert found["leader_election_master_status{name=ours}"] == 1


def test_every_other_report_is_shown() -> None:
    metrics = ServiceMetrics(host="10.77.0.1:6443")
    metrics.extension_point("Bind", status="Success", profile="p", duration_s=0.0001)
    metrics.queue_incoming("active", "PodAdd")
    metrics.binding("bound", duration_s=0.01)
    metrics.preemption_attempt()
    metrics.preemption(victims=3, violations=1)
    metrics.gang_waited(result="success", duration_s=2)
    metrics.event_written("Scheduled")
    metrics.event_dropped("Scheduled", why="full")
    metrics.request("POST", status=201, duration_s=0.01)
    metrics.request("POST", status=0, duration_s=5)
    metrics.compile_miss("decide")
    found = samples(metrics)
    for name in (
        "scheduler_framework_extension_point_duration_seconds_bucket{extension_point=Bind,le=0.0001,profile=p,status=Success}",
        "scheduler_queue_incoming_pods_total{event=PodAdd,queue=active}",
        "idcbench_scheduler_bindings_total{outcome=bound}",
        "scheduler_preemption_attempts_total{}",
        "scheduler_preemption_victims_bucket{le=4.0}",
        "scheduler_preemption_pdb_violations_total{preemptor=pod}",
        "scheduler_permit_wait_duration_seconds_count{result=success}",
        "idcbench_scheduler_events_total{reason=Scheduled}",
        "idcbench_scheduler_events_dropped_total{reason=Scheduled,why=full}",
        "rest_client_requests_total{code=201,host=10.77.0.1:6443,method=POST}",
        "rest_client_requests_total{code=<error>,host=10.77.0.1:6443,method=POST}",
        "idcbench_scheduler_compile_misses_total{}",
    ):
        assert found[name] == 1, name


def test_bounds_are_reckoned_as_in_go() -> None:
    assert doubling(0.001, 3) == (0.001, 0.002, 0.004)
    assert doubling(0.00001, 3, factor=1.5) == (0.00001, 0.00001 * 1.5, 0.00001 * 1.5 * 1.5)
