"""StatefulSets: order, names and claims that stay."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client

from .manifests import claim_spec, stateful_set
from .states import all_ready, is_ready, name_of, names, phase_is, wait_until_seen

pytestmark = pytest.mark.idc(proves="controller")


def pods_happening(client: Client, namespace: str, *, since: str, until: tuple[str, str]) -> list[tuple[str, str]]:
    """What happened to pods, in order, as (ADDED, READY or DELETED, pod), up to and with ``until``."""
    happened: list[tuple[str, str]] = []
    query = {"resourceVersion": since, "timeoutSeconds": "60"}
    for event in client.events(client.path("Pod", namespace=namespace), query=query):
        pod = event["object"]
        what = event["type"]
        if what == "MODIFIED":
            what = "READY" if is_ready(pod) else "CHANGED"
        if (what, name_of(pod)) not in happened and what != "CHANGED":
            happened.append((what, name_of(pod)))
        if happened[-1:] == [until]:
            break
    return happened


def test_stateful_set_starts_its_pods_in_order(idc_client: Client, namespace: str) -> None:
    """Each pod of a StatefulSet is created only when the one before it is ready."""
    made = idc_client.create(stateful_set("db", replicas=3), namespace)
    since = made["metadata"]["resourceVersion"]
    happened = pods_happening(idc_client, namespace, since=since, until=("READY", "db-2"))
    assert happened == [(what, f"db-{ordinal}") for ordinal in range(3) for what in ("ADDED", "READY")]


@pytest.mark.idc(negative=True)
def test_stateful_set_waits_for_a_pod_that_is_not_ready(idc_client: Client, namespace: str) -> None:
    """As long as the first pod is not ready, the second is not made."""
    idc_client.create(stateful_set("db", replicas=2, outcome="unready"), namespace)
    idc_client.wait_for("Pod", "db-0", phase_is("Running"), namespace, what="running")
    wait_until_seen(idc_client, "StatefulSet", "db", namespace)
    assert names(idc_client.list("Pod", namespace)) == {"db-0"}


def test_stateful_set_shrinks_from_the_end(idc_client: Client, namespace: str) -> None:
    """Scaling down removes the pod with the highest number first, one after the other."""
    idc_client.create(stateful_set("db", replicas=3, podManagementPolicy="Parallel"), namespace)
    idc_client.wait_for_list("Pod", all_ready(3), namespace)
    idc_client.patch("StatefulSet", "db", {"spec": {"replicas": 1}}, namespace)
    idc_client.wait_gone("Pod", "db-1", namespace)
    assert names(idc_client.list("Pod", namespace)) == {"db-0"}


def test_stateful_set_pod_comes_back_under_its_name(idc_client: Client, namespace: str) -> None:
    """A pod that is deleted comes back with the same name as another pod."""
    idc_client.create(stateful_set("db", replicas=2, podManagementPolicy="Parallel"), namespace)
    pods = idc_client.wait_for_list("Pod", all_ready(2), namespace)
    former = {name_of(pod): pod["metadata"]["uid"] for pod in pods}
    idc_client.delete("Pod", "db-1", namespace)
    again = idc_client.wait_for(
        "Pod", "db-1", lambda pod: is_ready(pod) and pod["metadata"]["uid"] != former["db-1"], namespace
    )
    assert again["spec"]["hostname"] == "db-1"
    assert idc_client.get("Pod", "db-0", namespace)["metadata"]["uid"] == former["db-0"]


@pytest.mark.idc(negative=True)
def test_stateful_set_keeps_claims_when_it_shrinks(idc_client: Client, namespace: str) -> None:
    """Every pod gets a claim of its own, and scaling down deletes none of them."""
    template = {"metadata": {"name": "data"}, "spec": claim_spec(storage_class=f"{namespace}-none")}
    idc_client.create(
        stateful_set("db", replicas=2, podManagementPolicy="Parallel", volumeClaimTemplates=[template]), namespace
    )
    idc_client.wait_for_list("Pod", lambda pods: len(pods) == 2, namespace)
    idc_client.patch("StatefulSet", "db", {"spec": {"replicas": 0}}, namespace)
    idc_client.wait_for_list("Pod", lambda pods: not pods, namespace, what="empty")
    wait_until_seen(idc_client, "StatefulSet", "db", namespace)
    claims = idc_client.list("PersistentVolumeClaim", namespace)
    assert names(claims) == {"data-db-0", "data-db-1"}
    assert not any("deletionTimestamp" in claim["metadata"] for claim in claims)
