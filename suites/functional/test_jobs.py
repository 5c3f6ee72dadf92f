"""Jobs: they end, they count, they give up, and they clean up after themselves."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client

from .manifests import job
from .states import has_condition, phase_is

pytestmark = pytest.mark.idc(proves="controller")
INDEX = "batch.kubernetes.io/job-completion-index"


def test_job_runs_to_completion(idc_client: Client, namespace: str) -> None:
    """A Job with four completions, two at a time, ends with four pods that succeeded."""
    idc_client.create(job("sum", completions=4, parallelism=2), namespace)
    found = idc_client.wait_for("Job", "sum", has_condition("Complete"), namespace, what="complete")
    assert found["status"]["succeeded"] == 4
    pods = idc_client.list("Pod", namespace)
    assert [pod["status"]["phase"] for pod in pods] == ["Succeeded"] * 4


def test_indexed_job_runs_each_index_once(idc_client: Client, namespace: str) -> None:
    """An Indexed Job gives each of its pods an index of its own, and says which are completed."""
    idc_client.create(job("grid", completions=5, parallelism=5, completionMode="Indexed"), namespace)
    found = idc_client.wait_for("Job", "grid", has_condition("Complete"), namespace, what="complete")
    assert found["status"]["completedIndexes"] == "0-4"
    pods = idc_client.list("Pod", namespace)
    assert sorted(pod["metadata"]["annotations"][INDEX] for pod in pods) == ["0", "1", "2", "3", "4"]


@pytest.mark.idc(negative=True)
def test_job_gives_up_at_its_limit_of_failures(idc_client: Client, namespace: str) -> None:
    """A Job without retries whose pod fails is marked failed, and no second pod is tried."""
    idc_client.create(job("bad", outcome="failed", backoffLimit=0), namespace)
    exceeded = has_condition("Failed", reason="BackoffLimitExceeded")
    found = idc_client.wait_for("Job", "bad", exceeded, namespace, what="failed")
    assert found["status"]["failed"] == 1
    assert [pod["status"]["phase"] for pod in idc_client.list("Pod", namespace)] == ["Failed"]


@pytest.mark.idc(negative=True)
def test_job_does_not_retry_what_its_failure_policy_forbids(idc_client: Client, namespace: str) -> None:
    """A pod failure policy ends a Job at an exit code that no retry can mend, whatever retries are left."""
    rule = {"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [0]}}
    idc_client.create(job("bad", outcome="failed", backoffLimit=6, podFailurePolicy={"rules": [rule]}), namespace)
    found = idc_client.wait_for(
        "Job", "bad", has_condition("Failed", reason="PodFailurePolicy"), namespace, what="failed"
    )
    assert found["status"]["failed"] == 1


@pytest.mark.idc(negative=True)
def test_indexed_job_keeps_failures_to_their_index(idc_client: Client, namespace: str) -> None:
    """With a limit per index every index fails for itself, and none is tried again."""
    idc_client.create(
        job("grid", outcome="failed", completions=3, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=0),
        namespace,
    )
    found = idc_client.wait_for("Job", "grid", has_condition("Failed", reason="FailedIndexes"), namespace)
    assert found["status"]["failedIndexes"] == "0-2"
    assert len(idc_client.list("Pod", namespace)) == 3


@pytest.mark.idc(negative=True)
def test_suspended_job_starts_nothing(idc_client: Client, namespace: str) -> None:
    """A suspended Job has no pods until it is resumed; then it completes."""
    idc_client.create(job("later", suspend=True), namespace)
    idc_client.wait_for("Job", "later", has_condition("Suspended"), namespace, what="suspended")
    assert idc_client.list("Pod", namespace) == []
    idc_client.patch("Job", "later", {"spec": {"suspend": False}}, namespace)
    idc_client.wait_for("Job", "later", has_condition("Complete"), namespace, what="complete")


def test_job_is_stopped_at_its_deadline(idc_client: Client, namespace: str) -> None:
    """A Job that runs longer than its deadline is marked failed, and its pods are removed."""
    idc_client.create(job("slow", outcome="running", activeDeadlineSeconds=2), namespace)
    idc_client.wait_for_list("Pod", lambda pods: any(map(phase_is("Running"), pods)), namespace, what="running")
    exceeded = has_condition("Failed", reason="DeadlineExceeded")
    idc_client.wait_for("Job", "slow", exceeded, namespace, what="failed")
    idc_client.wait_for_list("Pod", lambda pods: not any(map(phase_is("Running"), pods)), namespace)


def test_finished_job_is_removed_after_its_time(idc_client: Client, namespace: str) -> None:
    """A finished Job goes by itself when its time to live is over, and its pods with it."""
    idc_client.create(job("brief", ttlSecondsAfterFinished=0), namespace)
    idc_client.wait_gone("Job", "brief", namespace)
    idc_client.wait_for_list("Pod", lambda pods: not pods, namespace, what="empty")
