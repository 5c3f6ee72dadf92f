"""A pod, as far as its placement depends on it. Field names are those of the core/v1 API in snake case."""

from __future__ import annotations

from msgspec import Struct, field

from idcbench.kube.objects import Condition, ObjectMeta


class Requirement(Struct, frozen=True, gc=False):
    """One line of a label or node selector. ``values`` of Gt and Lt hold one integer as text."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class LabelSelector(Struct, frozen=True, gc=False, rename="camel"):
    """Labels and requirements that must all hold. An empty one matches everything, ``None`` in its place nothing."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[Requirement, ...] | None = None


class NodeSelectorTerm(Struct, frozen=True, gc=False, rename="camel"):
    """Requirements that must all hold; a term without any matches no node."""

    match_expressions: tuple[Requirement, ...] | None = None
    match_fields: tuple[Requirement, ...] | None = None


class NodeSelector(Struct, frozen=True, gc=False, rename="camel"):
    """Terms of which one must hold."""

    node_selector_terms: tuple[NodeSelectorTerm, ...] | None = None


class PreferredSchedulingTerm(Struct, frozen=True, gc=False):
    weight: int = 0
    preference: NodeSelectorTerm = NodeSelectorTerm()


class NodeAffinity(Struct, frozen=True, gc=False):
    required: NodeSelector | None = field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")
    preferred: tuple[PreferredSchedulingTerm, ...] | None = field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class PodAffinityTerm(Struct, frozen=True, gc=False, rename="camel"):
    label_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] | None = None
    namespace_selector: LabelSelector | None = None
    topology_key: str = ""
    match_label_keys: tuple[str, ...] | None = None
    mismatch_label_keys: tuple[str, ...] | None = None


class WeightedPodAffinityTerm(Struct, frozen=True, gc=False, rename="camel"):
    weight: int = 0
    pod_affinity_term: PodAffinityTerm = PodAffinityTerm()


class PodAntiAffinity(Struct, frozen=True, gc=False):
    """Pod affinity has the same fields."""

    required: tuple[PodAffinityTerm, ...] | None = field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )
    preferred: tuple[WeightedPodAffinityTerm, ...] | None = field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(Struct, frozen=True, gc=False, rename="camel"):
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAntiAffinity | None = None
    pod_anti_affinity: PodAntiAffinity | None = None


class Toleration(Struct, frozen=True, gc=False):
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""


class SpreadConstraint(Struct, frozen=True, gc=False, rename="camel"):
    max_skew: int = 1
    topology_key: str = ""
    when_unsatisfiable: str = ""
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: tuple[str, ...] | None = None


class ResourceClaimUse(Struct, frozen=True, gc=False):
    name: str = ""


class Resources(Struct, frozen=True, gc=False):
    """``requests`` and ``limits`` map resource names to quantities (text or, in old clients' objects, numbers)."""

    requests: dict[str, str | int | float] | None = None
    limits: dict[str, str | int | float] | None = None
    claims: tuple[ResourceClaimUse, ...] | None = None


class Port(Struct, frozen=True, gc=False, rename="camel"):
    container_port: int = 0
    host_port: int = 0
    host_ip: str = field(default="", name="hostIP")
    protocol: str = ""


class RestartRule(Struct, frozen=True, gc=False):
    action: str = ""


class Mount(Struct, frozen=True, gc=False, rename="camel"):
    bind_mount_options: tuple[str, ...] | None = None


class Container(Struct, frozen=True, gc=False, rename="camel"):
    name: str = ""
    image: str = ""
    resources: Resources = Resources()
    ports: tuple[Port, ...] | None = None
    restart_policy: str = ""
    restart_policy_rules: tuple[RestartRule, ...] | None = None
    volume_mounts: tuple[Mount, ...] | None = None


class ClaimSource(Struct, frozen=True, gc=False, rename="camel"):
    claim_name: str = ""
    read_only: bool = False


class CSISource(Struct, frozen=True, gc=False):
    driver: str = ""


class DiskSource(Struct, frozen=True, gc=False, rename="camel"):
    """The fields by which in-tree volumes are told apart."""

    pd_name: str = ""
    volume_id: str = field(default="", name="volumeID")
    disk_uri: str = field(default="", name="diskURI")
    iqn: str = ""
    target_portal: str = ""
    lun: int = 0
    monitors: tuple[str, ...] | None = None
    pool: str = ""
    image: str = ""
    read_only: bool = False


class EphemeralSource(Struct, frozen=True, gc=False, rename="camel"):
    volume_claim_template: dict[str, object] | None = None


class ImageSource(Struct, frozen=True, gc=False):
    reference: str = ""


class Volume(Struct, frozen=True, gc=False, rename="camel"):
    """A volume of one of the kinds that restrict where the pod can run; all others decode to a name alone."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    ephemeral: EphemeralSource | None = None
    csi: CSISource | None = None
    image: ImageSource | None = None
    gce_persistent_disk: DiskSource | None = None
    aws_elastic_block_store: DiskSource | None = None
    azure_disk: DiskSource | None = None
    cinder: DiskSource | None = None
    portworx_volume: DiskSource | None = None
    iscsi: DiskSource | None = None
    rbd: DiskSource | None = None


class SchedulingGate(Struct, frozen=True, gc=False):
    name: str = ""


class PodResourceClaim(Struct, frozen=True, gc=False, rename="camel"):
    name: str = ""
    resource_claim_name: str | None = None
    resource_claim_template_name: str | None = None


class SchedulingGroup(Struct, frozen=True, gc=False, rename="camel"):
    """Which gang a pod is of (scheduling.k8s.io; the feature gate GenericWorkload)."""

    pod_group_name: str | None = None


class PodSpec(Struct, frozen=True, gc=False, rename="camel"):
    node_name: str = ""
    scheduler_name: str = ""
    priority: int | None = None
    priority_class_name: str = ""
    preemption_policy: str | None = None
    node_selector: dict[str, str] | None = None
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] | None = None
    topology_spread_constraints: tuple[SpreadConstraint, ...] | None = None
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    overhead: dict[str, str | int | float] | None = None
    resources: Resources | None = None
    volumes: tuple[Volume, ...] | None = None
    scheduling_gates: tuple[SchedulingGate, ...] | None = None
    resource_claims: tuple[PodResourceClaim, ...] | None = None
    scheduling_group: SchedulingGroup | None = None
    host_network: bool = False
    host_users: bool | None = None
    termination_grace_period_seconds: int | None = None


class ContainerStatus(Struct, frozen=True, gc=False, rename="camel"):
    """``allocated_resources`` and ``resources`` tell what a pod resized in place holds now."""

    name: str = ""
    allocated_resources: dict[str, str | int | float] | None = None
    resources: Resources | None = None


class PodStatus(Struct, frozen=True, gc=False, rename="camel"):
    phase: str = ""
    conditions: tuple[Condition, ...] | None = None
    nominated_node_name: str = ""
    start_time: str | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    allocated_resources: dict[str, str | int | float] | None = None
    resources: Resources | None = None
    resize: str = ""


class Pod(Struct, frozen=True, gc=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.metadata.namespace}/{self.metadata.name}"

    @property
    def priority(self) -> int:
        return self.spec.priority or 0

    @property
    def over(self) -> bool:
        """Finished, and so holding nothing."""
        return self.status.phase in ("Succeeded", "Failed")
