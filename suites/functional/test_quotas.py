"""Quotas and limit ranges: nobody takes more than is allotted."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client, Manifest

from .manifests import deployment, named, pod, requests
from .refusal import refused, until_allowed
from .states import has_condition, is_ready, names


def allot(client: Client, namespace: str, hard: dict[str, str]) -> None:
    """Set a quota, and wait until it counts."""
    client.create(named("ResourceQuota", "share", spec={"hard": hard}), namespace)
    client.wait_for(
        "ResourceQuota", "share", lambda found: found["status"].get("used", {}).keys() == hard.keys(), namespace
    )


def limit(client: Client, namespace: str, **limits: Manifest) -> None:
    """Set limits for containers."""
    item = {"type": "Container"} | limits
    client.create(named("LimitRange", "sizes", spec={"limits": [item]}), namespace)


@pytest.mark.idc(proves="controller", negative=True)
def test_quota_refuses_one_object_too_many(idc_client: Client, namespace: str) -> None:
    """When a quota of objects is used up, the next is refused; a deletion makes room again."""
    allot(idc_client, namespace, {"count/secrets": "2"})
    for name in ("a", "b"):
        idc_client.create(named("Secret", name), namespace)
    with refused("Forbidden", saying="exceeded quota: share"):
        idc_client.create(named("Secret", "c"), namespace)
    idc_client.delete("Secret", "a", namespace)
    until_allowed(lambda: idc_client.create(named("Secret", "c"), namespace))


@pytest.mark.idc(proves="controller", negative=True)
def test_quota_refuses_a_pod_that_asks_for_too_much(idc_client: Client, namespace: str) -> None:
    """A pod whose requests do not fit into what is left of the quota is refused, a smaller one is taken."""
    allot(idc_client, namespace, {"requests.cpu": "1", "requests.memory": "1Gi"})
    idc_client.create(pod("most", resources=requests(cpu="800m", memory="128Mi")), namespace)
    with refused("Forbidden", saying="exceeded quota: share, requested: requests.cpu=300m"):
        idc_client.create(pod("more", resources=requests(cpu="300m", memory="128Mi")), namespace)
    idc_client.create(pod("rest", resources=requests(cpu="200m", memory="128Mi")), namespace)


@pytest.mark.idc(proves="controller", negative=True)
def test_quota_refuses_a_pod_that_does_not_say_what_it_needs(idc_client: Client, namespace: str) -> None:
    """Under a quota of CPU a pod without a request for CPU is refused."""
    allot(idc_client, namespace, {"requests.cpu": "1"})
    with refused("Forbidden", saying="must specify requests.cpu"):
        idc_client.create(pod("vague"), namespace)


@pytest.mark.idc(proves="controller", negative=True)
def test_quota_holds_for_the_pods_of_a_deployment(idc_client: Client, namespace: str) -> None:
    """A Deployment gets as many pods as its quota allows and not one more, and says why."""
    allot(idc_client, namespace, {"pods": "2"})
    idc_client.create(deployment("web", replicas=4), namespace)
    short = has_condition("ReplicaFailure", reason="FailedCreate")
    idc_client.wait_for("Deployment", "web", short, namespace, what="short of pods")
    idc_client.wait_for(
        "ResourceQuota", "share", lambda found: found["status"]["used"] == {"pods": "2"}, namespace, what="used up"
    )
    assert len(idc_client.list("Pod", namespace)) == 2


@pytest.mark.idc(proves="controller")
def test_quota_says_what_is_used(idc_client: Client, namespace: str) -> None:
    """The status of a quota adds up what the namespace uses."""
    allot(idc_client, namespace, {"requests.cpu": "4", "pods": "10"})
    for name in ("a", "b"):
        idc_client.create(pod(name, resources=requests(cpu="250m")), namespace)
    wanted = {"requests.cpu": "500m", "pods": "2"}
    idc_client.wait_for("ResourceQuota", "share", lambda found: found["status"]["used"] == wanted, namespace)


@pytest.mark.idc(proves="controller", negative=True)
def test_quota_counts_only_its_scope(idc_client: Client, namespace: str) -> None:
    """A quota limited to pods that end by themselves does not count those that run on."""
    quota = {"hard": {"pods": "1"}, "scopes": ["Terminating"]}
    idc_client.create(named("ResourceQuota", "brief", spec=quota), namespace)
    idc_client.wait_for("ResourceQuota", "brief", lambda found: "used" in found["status"], namespace)
    for name in ("a", "b"):
        idc_client.create(pod(name), namespace)
    idc_client.create(pod("c", activeDeadlineSeconds=600), namespace)
    with refused("Forbidden", saying="exceeded quota: brief"):
        idc_client.create(pod("d", activeDeadlineSeconds=600), namespace)
    for name in ("a", "b", "c"):
        idc_client.wait_for("Pod", name, is_ready, namespace)
    assert names(idc_client.list("Pod", namespace)) == {"a", "b", "c"}


@pytest.mark.idc(proves="api")
def test_limit_range_fills_in_defaults(idc_client: Client, namespace: str) -> None:
    """A container that says nothing about its resources gets the defaults of the namespace."""
    limit(idc_client, namespace, default={"memory": "256Mi"}, defaultRequest={"cpu": "100m", "memory": "128Mi"})
    made = idc_client.create(pod("plain"), namespace)
    resources = made["spec"]["containers"][0]["resources"]
    assert resources == {"limits": {"memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}}


@pytest.mark.idc(proves="api", negative=True)
@pytest.mark.parametrize(("cpu", "saying"), [("3", "maximum cpu usage"), ("10m", "minimum cpu usage")])
def test_limit_range_refuses_what_is_too_large_or_too_small(
    idc_client: Client, namespace: str, cpu: str, saying: str
) -> None:
    """A container that asks for more than the maximum or less than the minimum of the namespace is refused."""
    limit(idc_client, namespace, max={"cpu": "2"}, min={"cpu": "50m"})
    with refused("Forbidden", saying=saying):
        idc_client.create(pod("odd", resources=requests(cpu=cpu)), namespace)
    assert idc_client.find("Pod", "odd", namespace) is None


@pytest.mark.idc(proves="api", negative=True)
def test_limit_range_that_contradicts_itself_is_refused(idc_client: Client, namespace: str) -> None:
    """A LimitRange whose default is above its maximum is refused."""
    with refused("Invalid", saying="default"):
        limit(idc_client, namespace, max={"cpu": "1"}, default={"cpu": "2"})
