"""What stands above pods: namespaces, services and controllers (default spreading), budgets, priorities, gangs."""

from __future__ import annotations

from msgspec import Struct

from idcbench.kube.objects import ObjectMeta

from .pod import LabelSelector


class Namespace(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()


class ServiceSpec(Struct, frozen=True, gc=False):
    selector: dict[str, str] | None = None


class Service(Struct, frozen=True, gc=False):
    """A Service or a ReplicationController: the selector is a plain map."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ServiceSpec = ServiceSpec()


class SelectingSpec(Struct, frozen=True, gc=False):
    selector: LabelSelector | None = None


class Selecting(Struct, frozen=True, gc=False):
    """A ReplicaSet or a StatefulSet: what they select their pods by."""

    metadata: ObjectMeta = ObjectMeta()
    spec: SelectingSpec = SelectingSpec()


class BudgetStatus(Struct, frozen=True, gc=False, rename="camel"):
    disruptions_allowed: int = 0
    disrupted_pods: dict[str, str] | None = None


class DisruptionBudget(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: SelectingSpec = SelectingSpec()
    status: BudgetStatus = BudgetStatus()


class PriorityClass(Struct, frozen=True, gc=False, rename="camel"):
    metadata: ObjectMeta = ObjectMeta()
    value: int = 0
    preemption_policy: str | None = None


class DeviceClassSpec(Struct, frozen=True, gc=False, rename="camel"):
    extended_resource_name: str | None = None


class DeviceClass(Struct, frozen=True, gc=False):
    """Of resource.k8s.io: devices that a pod may ask for as if they were an extended resource."""

    metadata: ObjectMeta = ObjectMeta()
    spec: DeviceClassSpec = DeviceClassSpec()


class GangPolicy(Struct, frozen=True, gc=False, rename="camel"):
    min_count: int = 0


class SchedulingPolicy(Struct, frozen=True, gc=False):
    gang: GangPolicy | None = None


class PodGroupSpec(Struct, frozen=True, gc=False, rename="camel"):
    """Of scheduling.k8s.io (``scheduling_policy``) or of scheduler-plugins (``min_member``, the time limit)."""

    scheduling_policy: SchedulingPolicy | None = None
    min_member: int = 0
    schedule_timeout_seconds: int | None = None


class PodGroup(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodGroupSpec = PodGroupSpec()
