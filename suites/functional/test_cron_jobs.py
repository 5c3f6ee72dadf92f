"""CronJobs: they start what is due, and nothing else.

A CronJob that was due two minutes ago, and last ran ten minutes ago as its status says, is started at once: no check
waits for the minute to turn.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idcbench.kube.crud import Client, Manifest, Manifests

from .manifests import cron_job
from .states import has_condition, wait_for_event

pytestmark = pytest.mark.idc(proves="controller")


def minutes_ago(minutes: int) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def make_due(client: Client, name: str, namespace: str) -> None:
    """Say that the CronJob last ran ten minutes ago, so that what was due since then is missing."""
    body = {"status": {"lastScheduleTime": f"{minutes_ago(10):%Y-%m-%dT%H:%M:%SZ}"}}
    client.patch("CronJob", name, body, namespace, subresource="status")


def jobs_of(client: Client, name: str, namespace: str) -> Manifests:
    return [job for job in client.list("Job", namespace) if owner_of(job) == name]


def owner_of(job: Manifest) -> str:
    return str(job["metadata"]["ownerReferences"][0]["name"])


def test_cron_job_starts_a_job_when_it_is_due(idc_client: Client, namespace: str) -> None:
    """A CronJob that is due starts a Job, which completes, and notes when."""
    idc_client.create(cron_job("tick", minute=minutes_ago(2).minute), namespace)
    make_due(idc_client, "tick", namespace)
    jobs = idc_client.wait_for_list("Job", lambda jobs: any(map(has_condition("Complete"), jobs)), namespace)
    assert owner_of(jobs[0]) == "tick"
    idc_client.wait_for("CronJob", "tick", lambda found: "lastSuccessfulTime" in found["status"], namespace)


@pytest.mark.idc(negative=True)
def test_suspended_cron_job_starts_nothing(idc_client: Client, namespace: str) -> None:
    """A suspended CronJob starts no Job, while one beside it that became due later does."""
    idc_client.create(cron_job("asleep", minute=minutes_ago(2).minute, suspend=True), namespace)
    make_due(idc_client, "asleep", namespace)
    idc_client.create(cron_job("awake", minute=minutes_ago(2).minute), namespace)
    make_due(idc_client, "awake", namespace)
    idc_client.wait_for_list("Job", bool, namespace, what="the Job of the other")
    assert jobs_of(idc_client, "asleep", namespace) == []


@pytest.mark.idc(negative=True)
def test_cron_job_does_not_overlap_when_forbidden(idc_client: Client, namespace: str) -> None:
    """With the policy Forbid no second Job starts while the first still runs."""
    idc_client.create(
        cron_job("slow", minute=minutes_ago(3).minute, outcome="running", concurrencyPolicy="Forbid"), namespace
    )
    make_due(idc_client, "slow", namespace)
    idc_client.wait_for("CronJob", "slow", lambda found: found["status"].get("active"), namespace, what="running")
    later = {"spec": {"schedule": f"{minutes_ago(2).minute} * * * *"}}
    idc_client.patch("CronJob", "slow", later, namespace)
    make_due(idc_client, "slow", namespace)
    wait_for_event(idc_client, namespace, "slow", "JobAlreadyActive")
    assert len(jobs_of(idc_client, "slow", namespace)) == 1
