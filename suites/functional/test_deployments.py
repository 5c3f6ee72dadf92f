"""Deployments: what a rollout does, what it never does, and the way back."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client, Manifest

from .manifests import deployment, pod_template
from .states import all_ready, has_condition, names, rolled_out, wait_until_seen

pytestmark = pytest.mark.idc(proves="controller")
APP = "app=web"


def start(client: Client, namespace: str, *, replicas: int, **spec: object) -> Manifest:
    """Roll out the Deployment ``web`` for the first time."""
    client.create(deployment("web", replicas=replicas, **spec), namespace)  # type: ignore[arg-type]  # its fields
    return client.wait_for("Deployment", "web", rolled_out, namespace, what="rolled out")


def new_template(client: Client, namespace: str, **spec: object) -> Manifest:
    """Give ``web`` a template that differs."""
    template = pod_template("web", **spec)  # type: ignore[arg-type]  # its fields
    template["metadata"]["labels"]["release"] = "new"
    return client.patch("Deployment", "web", {"spec": {"template": template}}, namespace)


def test_deployment_brings_up_all_its_replicas(idc_client: Client, namespace: str) -> None:
    """A Deployment of three replicas becomes available with three ready pods."""
    found = start(idc_client, namespace, replicas=3)
    assert has_condition("Available")(found)
    assert all_ready(3)(idc_client.list("Pod", namespace, label_selector=APP))


def test_deployment_replaces_a_deleted_pod(idc_client: Client, namespace: str) -> None:
    """A pod that is deleted is replaced by a new one."""
    start(idc_client, namespace, replicas=2)
    before = names(idc_client.list("Pod", namespace))
    idc_client.delete("Pod", min(before), namespace)
    after = idc_client.wait_for_list("Pod", lambda pods: all_ready(2)(pods) and names(pods) != before, namespace)
    assert len(names(after) & before) == 1


def test_deployment_rolls_out_a_new_template(idc_client: Client, namespace: str) -> None:
    """A new template replaces every pod, and the old ReplicaSet is kept empty for the way back."""
    start(idc_client, namespace, replicas=3)
    new_template(idc_client, namespace)
    idc_client.wait_for("Deployment", "web", rolled_out, namespace, what="rolled out")
    idc_client.wait_for_list("Pod", all_ready(3), namespace, label_selector="release=new")
    sets = idc_client.list("ReplicaSet", namespace)
    assert sorted(each["spec"]["replicas"] for each in sets) == [0, 3]


@pytest.mark.idc(negative=True)
def test_rollout_that_fails_keeps_the_old_pods(idc_client: Client, namespace: str) -> None:
    """A rollout whose pods never get ready stops, says so, and takes none of the pods that serve away."""
    start(
        idc_client, namespace, replicas=3, progressDeadlineSeconds=2,
        strategy={"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
    )  # fmt: skip
    serving = names(idc_client.list("Pod", namespace))
    new_template(idc_client, namespace, outcome="unready")
    stuck = has_condition("Progressing", "False", reason="ProgressDeadlineExceeded")
    idc_client.wait_for("Deployment", "web", stuck, namespace, what="past its deadline")
    left = idc_client.list("Pod", namespace, label_selector="app=web,release!=new")
    assert all_ready(3)(left)
    assert names(left) == serving


def test_rollback_returns_to_the_old_replica_set(idc_client: Client, namespace: str) -> None:
    """The old template, given again, brings its ReplicaSet back instead of a third one."""
    first = start(idc_client, namespace, replicas=2)
    old = names(idc_client.list("ReplicaSet", namespace))
    new_template(idc_client, namespace)
    idc_client.wait_for("Deployment", "web", rolled_out, namespace, what="rolled out")
    operations = [{"op": "replace", "path": "/spec/template", "value": first["spec"]["template"]}]
    idc_client.patch("Deployment", "web", operations, namespace, patch_type="json")
    idc_client.wait_for("Deployment", "web", rolled_out, namespace, what="rolled back")
    sets = {each["metadata"]["name"]: each["spec"]["replicas"] for each in idc_client.list("ReplicaSet", namespace)}
    assert len(sets) == 2
    assert {name for name, replicas in sets.items() if replicas} == old


@pytest.mark.idc(negative=True)
def test_paused_deployment_does_not_roll_out(idc_client: Client, namespace: str) -> None:
    """A new template of a paused Deployment replaces no pod until the rollout is resumed."""
    start(idc_client, namespace, replicas=2)
    before = names(idc_client.list("Pod", namespace))
    idc_client.patch("Deployment", "web", {"spec": {"paused": True}}, namespace)
    new_template(idc_client, namespace)
    wait_until_seen(idc_client, "Deployment", "web", namespace)
    assert len(idc_client.list("ReplicaSet", namespace)) == 1
    assert names(idc_client.list("Pod", namespace)) == before
    idc_client.patch("Deployment", "web", {"spec": {"paused": False}}, namespace)
    idc_client.wait_for_list("Pod", all_ready(2), namespace, label_selector="release=new", what="the new pods")


def test_deployment_scales_up_and_down(idc_client: Client, namespace: str) -> None:
    """The scale subresource adds pods, removes them, and may leave none."""
    start(idc_client, namespace, replicas=1)
    for replicas in (4, 2, 0):
        idc_client.scale("Deployment", "web", replicas, namespace)
        idc_client.wait_for_list("Pod", all_ready(replicas), namespace, what=f"{replicas} ready pods")
        idc_client.wait_for("Deployment", "web", rolled_out, namespace, what=f"scaled to {replicas}")


@pytest.mark.idc(negative=True)
def test_recreate_strategy_never_runs_two_releases(idc_client: Client, namespace: str) -> None:
    """With the strategy Recreate every old pod is gone before the first new one is made."""
    start(idc_client, namespace, replicas=2, strategy={"type": "Recreate"})
    path = idc_client.path("Pod", namespace=namespace)
    version = idc_client.raw("GET", path).json()["metadata"]["resourceVersion"]
    new_template(idc_client, namespace)
    happened = []
    for event in idc_client.events(path, query={"resourceVersion": version, "timeoutSeconds": "60"}):
        happened.append(event["type"])
        if happened.count("ADDED") == 2:
            break
    assert happened.count("DELETED") == 2
    assert max(at for at, what in enumerate(happened) if what == "DELETED") < happened.index("ADDED")
