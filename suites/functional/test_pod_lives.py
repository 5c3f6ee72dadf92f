"""Probes, restarts, init containers and shutdown of real pods: what kubelet does with them."""

from __future__ import annotations

from typing import Any

import pytest

from idcbench.cluster import Capability
from idcbench.kube.crud import Client, Manifest, Manifests

from .manifests import named
from .states import has_condition, phase_is
from .tool import HEALTH, READY, server, started, tool

pytestmark = pytest.mark.idc(proves="kubelet", needs=[Capability.REAL_PODS])


def restarts(pod: Manifest) -> int:
    return sum(one["restartCount"] for one in pod["status"].get("containerStatuses", ()))


def test_liveness_probe_restarts_a_container_that_is_broken(idc_client: Client, namespace: str) -> None:
    """A container whose liveness probe fails is started again, and then it is well."""
    started(idc_client, namespace, server("web", livenessProbe=HEALTH | {"failureThreshold": 2}))
    idc_client.ask_pod("web", namespace, "/healthz?fail=true", method="POST")
    idc_client.wait_for("Pod", "web", lambda pod: restarts(pod) == 1, namespace, what="started again")
    idc_client.wait_for("Pod", "web", has_condition("Ready"), namespace, what="ready again")


def test_readiness_probe_takes_a_pod_out_and_in_again(idc_client: Client, namespace: str) -> None:
    """A pod that says that it is not ready is not; when it says that it is, it is ready again, without a restart."""
    started(idc_client, namespace, server("web"))
    idc_client.ask_pod("web", namespace, "/readyz?fail=true", method="POST")
    idc_client.wait_for("Pod", "web", has_condition("Ready", "False"), namespace, what="not ready")
    idc_client.ask_pod("web", namespace, "/readyz?fail=false", method="POST")
    pod = idc_client.wait_for("Pod", "web", has_condition("Ready"), namespace, what="ready again")
    assert restarts(pod) == 0


def test_startup_probe_gives_a_slow_container_its_time(idc_client: Client, namespace: str) -> None:
    """While a container starts slowly its liveness probe waits for the startup probe, so it is not killed."""
    slow = tool(
        "serve", "-delay", "6s", readinessProbe=READY, startupProbe=READY | {"failureThreshold": 60},
        livenessProbe=HEALTH | {"failureThreshold": 1},
    )  # fmt: skip
    idc_client.create(named("Pod", "slow", spec={"containers": [slow]}), namespace)
    pod = idc_client.wait_for("Pod", "slow", has_condition("Ready"), namespace, what="ready")
    assert restarts(pod) == 0


def test_container_that_fails_is_started_again_ever_later(idc_client: Client, namespace: str) -> None:
    """A container that always fails is started again, and kubelet says that it waits before the next time.

    It says so by an event: the state CrashLoopBackOff is shown only if kubelet looks at the pod while it waits.
    """
    idc_client.create(named("Pod", "bad", spec={"containers": [tool("fail", "1")]}), namespace)

    def waits(events: Manifests) -> bool:
        return any(one["reason"] == "BackOff" and one["involvedObject"]["name"] == "bad" for one in events)

    idc_client.wait_for_list("Event", waits, namespace, timeout_s=90.0, what="one of a wait before the next start")
    again = "started again after that wait"
    idc_client.wait_for("Pod", "bad", lambda pod: restarts(pod) >= 2, namespace, timeout_s=90.0, what=again)


def test_init_containers_run_one_after_the_other_before_the_rest(idc_client: Client, namespace: str) -> None:
    """What an init container wrote is there for the next one and for the pod's own container."""
    mount: dict[str, Any] = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
    first = tool("write", "/shared/first", "one", **mount) | {"name": "first"}
    second = tool("read", "/shared/first", **mount) | {"name": "second"}
    spec = {"initContainers": [first, second], "volumes": [{"name": "shared", "emptyDir": {}}]}
    started(idc_client, namespace, server("web", spec=spec, **mount))
    assert idc_client.log("web", namespace, container="second").strip() == "one"
    assert idc_client.ask_pod("web", namespace, "/read?file=/shared/first").strip() == "one"


def test_a_pod_that_is_deleted_may_end_in_good_order(idc_client: Client, namespace: str) -> None:
    """A pod that is told to end has its grace period; it goes when its container has ended, before that is over."""
    started(idc_client, namespace, server("web", spec={"terminationGracePeriodSeconds": 60}))
    idc_client.delete("Pod", "web", namespace)
    idc_client.wait_gone("Pod", "web", namespace, timeout_s=30.0)


def test_memory_limit_ends_what_takes_more(idc_client: Client, namespace: str) -> None:
    """A container may not have more memory than its limit: kubelet says OOMKilled, or the container cannot start."""
    limits = {"resources": {"limits": {"memory": "4Mi"}, "requests": {"memory": "4Mi"}}}
    spec = {"containers": [tool("serve", **limits)], "restartPolicy": "Never"}
    idc_client.create(named("Pod", "greedy", spec=spec), namespace)
    pod = idc_client.wait_for("Pod", "greedy", phase_is("Failed"), namespace, what="failed")
    ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert ended["reason"] in ("OOMKilled", "StartError", "ContainerCannotRun", "Error")
