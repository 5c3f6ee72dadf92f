"""A load that pods of the cluster send together, as one machine alone cannot: an Indexed Job of the same generator."""

from __future__ import annotations

import time

import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client, Manifest
from idcbench.measure.calls import Call
from idcbench.measure.job_manifests import READY_S, load_manifests
from idcbench.measure.job_plan import JobPlan, Poisson
from idcbench.measure.job_result import JobResult, merged
from idcbench.measure.open_loop import Outcome
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.suites.functional.manifests import named, role, role_binding, rule
from idcbench.suites.functional.states import has_condition, name_of

from .ground import own_namespace

pytestmark = [pytest.mark.idc_measuring, pytest.mark.idc(needs=[Capability.REAL_PODS])]
IMAGE = "idcbench-scheduler"
NAME, PODS = "load", 2
RATE_PER_S, DURATION_S = 1000.0, 30.0
QUANTILES = {"0.5": 0.5, "0.99": 0.99}


def test_load_from_pods(idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float) -> None:
    """Pods send one load of reads together, by the way that pods have to the API servers, and all of it is answered."""
    image = idc_cluster.facts.images.get(IMAGE)
    if image is None:
        pytest.skip(f"needs the image {IMAGE} on every node (idcbench bundle create --image)")
    rate_per_s = RATE_PER_S * idc_scale
    with own_namespace(idc_client) as namespace:
        idc_client.create(named("ConfigMap", "asked", data={"key": "value"}), namespace)
        idc_client.create(named("ServiceAccount", NAME), namespace)
        idc_client.create(role(NAME, rule("configmaps", "get")), namespace)
        idc_client.create(role_binding(NAME, NAME, NAME, namespace), namespace)
        call = Call(name="get configmap", path=f"/api/v1/namespaces/{namespace}/configmaps/asked")
        arrivals = Poisson(rate_per_s=rate_per_s, duration_s=DURATION_S, seed=1)
        result = _sent(idc_client, namespace, JobPlan(arrivals=arrivals, calls=(call,)), image)
    for objection in result.objections:
        idc_record.run.invalidate(f"load from pods: {objection}")
    done = result.calls[call.name]
    assert done.counts[Outcome.OK] == result.requests, {key.name: count for key, count in done.counts.items() if count}
    for label, quantile in QUANTILES.items():
        latency_ms = done.latency.quantile_ms(quantile)
        assert latency_ms is not None
        idc_record(
            "load_job.latency", latency_ms, unit="ms", better="lower",
            labels={"quantile": label, "pods": str(PODS), "rate": f"{rate_per_s:g}"},
            definition="from the planned start of a request of a pod to its whole answer, by the kubernetes Service; of"
            " all pods together, by merged histograms (three significant digits)",
        )  # fmt: skip


def _sent(client: Client, namespace: str, plan: JobPlan, image: str) -> JobResult:
    config, job = load_manifests(
        plan, name=NAME, namespace=namespace, image=image, pods=PODS, start_unix_s=time.time() + READY_S,
        service_account=NAME,
    )  # fmt: skip
    client.create(config, namespace)
    client.create(job, namespace)
    limit_s = READY_S + DURATION_S + plan.deadline_s + READY_S
    client.wait_for("Job", NAME, _has_ended, namespace, timeout_s=limit_s, what="over")
    pods = client.list("Pod", namespace, label_selector=f"idcbench.io/load={NAME}")
    return merged(client.log(name_of(pod), namespace).strip().rpartition("\n")[2] for pod in pods)


def _has_ended(job: Manifest) -> bool:
    return has_condition("Complete")(job) or has_condition("Failed")(job)
