"""The checks on clusters that are broken on purpose: a check that cannot fail proves nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
SUITE = "idcbench/suites/functional"
IMPATIENT = """\
import pytest
from idcbench.kube.crud import Client
from idcbench.suites.functional import refusal

# On a cluster where what is awaited never comes, each check would take its whole minute.
for call in (Client.wait_for, Client.wait_for_list, Client.wait_gone):
    call.__kwdefaults__["timeout_s"] = 2.0
refusal.until_refused.__kwdefaults__["timeout_s"] = 8.0

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker("idc_disruptive")
"""
NO_CONTROLLERS = """
@pytest.fixture(scope="session", autouse=True)
def broken(idc_cluster):
    idc_cluster.faults.stop("cp1", "kube-controller-manager")
"""
EVERYTHING_ALLOWED = """
@pytest.fixture(scope="session", autouse=True)
def broken(idc_client):
    group = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io"}
    idc_client.create({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "all"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [group | {"name": "system:authenticated"}, group | {"name": "system:serviceaccounts"}],
    })
"""
CONTROLLER = (
    "test_certificates.py::test_approved_request_becomes_a_credential",
    "test_daemon_sets.py::test_daemon_set_runs_on_every_node",
    "test_deployments.py::test_deployment_brings_up_all_its_replicas",
    "test_drain.py::test_eviction_within_the_budget_is_done",
    "test_garbage_collection.py::test_dependent_with_another_owner_stays",
    "test_high_availability.py::test_one_leader_renews_its_lease[kube-controller-manager]",
    "test_jobs.py::test_suspended_job_starts_nothing",
    "test_networking.py::test_service_leads_to_its_ready_pods",
    "test_quotas.py::test_quota_refuses_one_object_too_many",
    "test_storage.py::test_claim_gets_a_volume_of_its_class",
)
API = (
    "test_admission.py::test_policy_refuses_what_breaks_its_rule",
    "test_audit.py::test_audit_tells_who_was_refused",
    "test_configuration.py",
    "test_custom_resources.py::test_custom_kind_is_served",
    "test_garbage_collection.py::test_finalizer_holds_an_object",
    "test_high_availability.py::test_every_api_server_is_ready",
    "test_namespaces.py::test_namespaces_keep_equal_names_apart",
    "test_networking.py::test_service_gets_an_address_of_its_own",
    "test_pagination.py",
    "test_quotas.py::test_limit_range_fills_in_defaults",
    "test_rbac.py::test_role_ends_at_its_namespace",
    "test_scheduling.py::test_pod_is_bound_once",
    "test_server_side_apply.py",
    "test_tokens.py",
    "test_updates.py",
    "test_watch.py",
)
DENIED = (
    "test_audit.py::test_audit_tells_who_was_refused",
    "test_certificates.py::test_approval_needs_the_right_to_the_signer",
    "test_rbac.py::test_nobody_acts_as_another_without_the_right",
    "test_rbac.py::test_nobody_gives_more_than_they_have",
    "test_rbac.py::test_right_that_is_taken_away_is_gone",
    "test_rbac.py::test_role_ends_at_its_namespace",
    "test_rbac.py::test_role_for_one_object_does_not_open_others",
    "test_rbac.py::test_role_for_pods_does_not_open_their_logs",
    "test_rbac.py::test_role_to_read_does_not_allow_to_write",
    "test_rbac.py::test_service_account_may_do_nothing_by_itself",
)
STILL_DENIED = (
    "test_rbac.py::test_anonymous_requests_read_nothing",  # who is not authenticated is in neither group
    "test_rbac.py::test_node_changes_no_node_but_itself",  # admission refuses it, whatever RBAC says
    "test_tokens.py::test_token_for_another_audience_is_refused",
)


def outcomes(folder: Path, breakage: str, *checks: str) -> dict[str, str]:
    """Run checks on a small cluster that is broken so; the outcome of each, by its id within the suite."""
    (folder / "breakage.py").write_text(IMPATIENT + breakage)
    environment = os.environ | {"PYTHONPATH": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    environment.pop("PYTEST_ADDOPTS", None)
    options = ["--idc-target=embedded", "--idc-name=broken", "--idc-control-planes=1", "--idc-nodes=3"]
    plain = ["-p", "breakage", "-p", "no:cacheprovider", "-p", "no:asyncio", "-q", "--tb=no"]
    command = [sys.executable, "-P", "-m", "pytest", *plain, *options, "--idc-profile=fast"]
    done = subprocess.run(
        [*command, *(f"{SUITE}/{check}" for check in checks)],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    document = folder / ".idcbench/embedded-broken/latest/run.json"
    assert document.is_file(), done.stdout + done.stderr
    found = json.loads(document.read_text())["checks"]
    return {check["nodeid"].removeprefix(f"{SUITE}/"): check["outcome"] for check in found}


def test_without_controllers_the_checks_of_controllers_fail(tmp_path: Path) -> None:
    found = outcomes(tmp_path, NO_CONTROLLERS, *CONTROLLER, *API)
    assert {check: found[check] for check in CONTROLLER} == dict.fromkeys(CONTROLLER, "failed")
    others = {check: outcome for check, outcome in found.items() if check not in CONTROLLER}
    assert len(others) > 40
    assert others == dict.fromkeys(others, "passed")


def test_with_everything_allowed_the_checks_of_refusals_fail(tmp_path: Path) -> None:
    allowed = ("test_rbac.py::test_role_lets_a_service_account_read",)
    found = outcomes(tmp_path, EVERYTHING_ALLOWED, *DENIED, *STILL_DENIED, *allowed)
    assert {check: found[check] for check in DENIED} == dict.fromkeys(DENIED, "failed")
    assert {check: found[check] for check in STILL_DENIED + allowed} == dict.fromkeys(STILL_DENIED + allowed, "passed")
