from typing import Any

import msgspec
import pytest
from msgspec import Struct

from idcbench.kube.objects import ObjectMeta
from idcbench.scheduler.claims import DeviceClasses, reason_to_decline
from idcbench.scheduler.objects import Pod

NO_DEVICES = "and this scheduler allocates no devices"


class Spec(Struct, frozen=True):
    extended_resource_name: str | None = None


class DeviceClass(Struct, frozen=True):
    metadata: ObjectMeta
    spec: Spec


def device_class(name: str, resource: str | None = None) -> DeviceClass:
    return DeviceClass(ObjectMeta(name=name), Spec(resource))


def pod(**spec: Any) -> Pod:
    return msgspec.convert({"metadata": {"name": "p", "namespace": "ns"}, "spec": spec}, Pod)


def asking(resource: str, amount: str = "1") -> Pod:
    return pod(containers=[{"name": "c", "resources": {"requests": {"cpu": "1", resource: amount}}}])


def test_an_ordinary_pod_is_decided_on() -> None:
    ordinary = pod(
        containers=[{"name": "c"}],
        tolerations=[{"operator": "Exists"}, {"key": "a", "operator": "Equal", "effect": "NoExecute"}, {"key": "b"}],
        topologySpreadConstraints=[{"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
        preemptionPolicy="PreemptLowerPriority",
        schedulingGroup={"podGroupName": "gang"},
    )
    assert reason_to_decline(ordinary, classes=DeviceClasses()) is None


@pytest.mark.parametrize("source", [{"resourceClaimName": "c"}, {"resourceClaimTemplateName": "t"}, {"newer": "x"}])
def test_resource_claims(source: dict[str, str]) -> None:
    claims = [{"name": "gpu", **source}]
    assert reason_to_decline(pod(resourceClaims=claims)) == f"the pod has resource claims (gpu), {NO_DEVICES}"


def test_an_extended_resource_that_stands_for_devices() -> None:
    classes = DeviceClasses()
    classes.set(device_class("gpus", "example.com/gpu"))
    reason = f"example.com/gpu stands for devices of class gpus, {NO_DEVICES}"
    assert reason_to_decline(asking("example.com/gpu"), classes=classes) == reason
    assert reason_to_decline(asking("example.com/gpu"), classes=classes, offered=lambda _: False) == reason
    assert reason_to_decline(asking("example.com/gpu"), classes=classes, offered=lambda _: True) is None
    assert reason_to_decline(asking("example.com/gpu", "0"), classes=classes) is None
    assert reason_to_decline(asking("example.com/fpga"), classes=classes) is None
    implicit = "deviceclass.resource.kubernetes.io/gpus"
    assert reason_to_decline(asking(implicit), classes=classes) == (
        f"{implicit} stands for devices of class gpus, {NO_DEVICES}"
    )


def test_device_classes_come_change_and_go() -> None:
    classes = DeviceClasses()
    classes.set(device_class("b", "x/y"))
    classes.set(device_class("a", "x/y"))
    assert classes.of("x/y") == "a"
    classes.set(device_class("a", "x/z"))
    assert (classes.of("x/y"), classes.of("x/z")) == ("b", "a")
    classes.remove(device_class("b"))
    classes.remove(device_class("b"))
    assert classes.of("x/y") is None
    assert classes.of("deviceclass.resource.kubernetes.io/b") is None
    assert classes.of("deviceclass.resource.kubernetes.io/a") == "a"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"tolerations": [{"key": "a", "operator": "Gt"}]}, "operator 'Gt' of the toleration 'a'"),
        ({"tolerations": [{"key": "a", "effect": "Sometimes"}]}, "effect 'Sometimes' of the toleration 'a'"),
        (
            {"topologySpreadConstraints": [{"topologyKey": "zone", "whenUnsatisfiable": "Wait"}]},
            "whenUnsatisfiable 'Wait' of the spread constraint 'zone'",
        ),
        (
            {
                "topologySpreadConstraints": [
                    {"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Some"}
                ]
            },
            "nodeTaintsPolicy 'Some' of the spread constraint 'zone'",
        ),
        ({"preemptionPolicy": "Always"}, "preemptionPolicy 'Always'"),
    ],
)
def test_words_of_a_newer_api(spec: dict[str, Any], reason: str) -> None:
    assert reason_to_decline(pod(**spec)) == f"{reason} is unknown to this scheduler"


def test_a_scheduling_group_of_a_newer_kind() -> None:
    reason = reason_to_decline(pod(schedulingGroup={"compositeName": "x"}))
    assert reason == "the scheduling group names no pod group, the only kind that this scheduler knows"


def test_a_request_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="pod ns/p: "):
        reason_to_decline(asking("example.com/gpu", "1e3k"), classes=DeviceClasses())
