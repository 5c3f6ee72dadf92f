"""Objects that nobody should write: what a real API server says to each, and what the scheduler has to do with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]
HUGE = 2**63 - 1
MANY = 10_000
ROOM = {"cpu": "4", "memory": "32Gi", "pods": "110"}
LONG = "x" * 63


@dataclass(frozen=True)
class BadPod:
    """``refused`` by the API server, ``placed`` on a node in spite of its looks, or waiting with an event that says
    ``waits``."""

    name: str
    spec: Manifest
    refused: bool = False
    placed: bool = False
    waits: str = ""
    metadata: Manifest | None = None

    def manifest(self) -> Manifest:
        containers = {"containers": [container()]}
        return {"metadata": {"name": self.name} | (self.metadata or {}), "spec": containers | self.spec}


@dataclass(frozen=True)
class BadNode:
    """``refused`` by the API server; otherwise pods that select it wait, unless it ``takes`` them."""

    name: str
    status: Manifest
    spec: Manifest | None = None
    labels: Manifest | None = None
    refused: bool = False
    takes: bool = False

    def manifest(self) -> Manifest:
        labels = {"name": self.name[:63]} | (self.labels or {})
        return {"metadata": {"name": self.name, "labels": labels}, "spec": self.spec or {}, "status": self.status}


def container(name: str = "c", /, ports: list[Manifest] | None = None, **requests: str) -> Manifest:
    return {
        "name": name,
        "image": "i",
        "ports": ports or [],
        "resources": {"requests": {"cpu": "10m"} | {key.replace("_", "-"): value for key, value in requests.items()}},
    }


def node_status(**changes: Any) -> Manifest:
    room = ROOM | {key.replace("_", "-"): value for key, value in changes.items()}
    return {"capacity": room, "allocatable": room}


def asks(cpu: str) -> Manifest:
    return {"containers": [container(cpu=cpu)]}


def extended(amount: str) -> Manifest:
    amounts = {"example.com/thing": amount}
    return {"containers": [container() | {"resources": {"requests": amounts, "limits": amounts}}]}


def node_affinity(key: str, operator: str, *values: str) -> Manifest:
    line = {"key": key, "operator": operator} | ({"values": list(values)} if values else {})
    terms = {"nodeSelectorTerms": [{"matchExpressions": [line]}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


def pod_affinity(kind: str, *terms: Manifest) -> Manifest:
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}}


def term(key: str = "zone", *, operator: str = "Exists", values: tuple[str, ...] = ()) -> Manifest:
    line = {"key": "app", "operator": operator} | ({"values": list(values)} if values else {})
    return {"topologyKey": key, "labelSelector": {"matchExpressions": [line]}}


def spread(**changes: Any) -> Manifest:
    one = {
        "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "spread"}},
    }  # fmt: skip
    return {"topologySpreadConstraints": [one | changes]}


def tolerations(count: int) -> list[Manifest]:
    return [{"key": f"k{i}", "operator": "Exists", "effect": "NoSchedule"} for i in range(count)]


def taints(count: int) -> list[Manifest]:
    return [{"key": f"k{i}", "value": LONG, "effect": "NoSchedule"} for i in range(count)]


CPU = "Insufficient cpu"
NODES = (
    BadNode("bad-none", {}),
    BadNode("bad-empty", {"allocatable": {}, "capacity": {}}),
    BadNode("bad-zero", node_status(pods="0")),
    BadNode("bad-negative", node_status(cpu="-5"), refused=True),
    BadNode("bad-quantity", node_status(cpu="1e3k"), refused=True),
    BadNode("bad-word", node_status(cpu="much"), refused=True),
    BadNode("bad-huge", node_status(cpu="9E", memory=str(HUGE)), takes=True),
    BadNode("bad-huger", node_status(cpu="1e400", memory="100Ei"), takes=True),
    BadNode("bad-taints", node_status(), spec={"taints": taints(MANY)}),
    BadNode("bad-effect", node_status(), spec={"taints": [{"key": "k", "effect": "Newer"}]}, refused=True),
    BadNode("bad-labels", node_status(), labels={f"l{i}": LONG for i in range(MANY)}, takes=True),
    BadNode("bad-label-64", node_status(), labels={"l": LONG + "x"}, refused=True),
    BadNode("bad-label-unicode", node_status(), labels={"l": "größe"}, refused=True),
    BadNode("bad-resources", node_status(**{f"example.com/r{i}": "1" for i in range(500)}), takes=True),
    BadNode("bad-" + "n" * 249, node_status(), takes=True),
    BadNode("bad-" + "n" * 250, node_status(), refused=True),
    BadNode(
        "bad-images",
        node_status() | {"images": [{"names": ["i:latest", "größe/✓:1", ""], "sizeBytes": HUGE}] * 50},
        takes=True,
    ),
    BadNode("bad-image-size", node_status() | {"images": [{"names": ["i:latest"], "sizeBytes": -HUGE}]}, takes=True),
    BadNode("bad-features", node_status() | {"declaredFeatures": ["NewerFeature"]}, takes=True),
    BadNode(
        "bad-conditions",
        node_status() | {"conditions": [{"type": "Newer/✓", "status": "Perhaps", "reason": "", "message": "\u0000"}]},
        takes=True,
    ),
)

PODS = (
    BadPod("quantity", asks("1e3k"), refused=True),
    BadPod("no-quantity", asks("much"), refused=True),
    BadPod("negative", asks("-1"), refused=True),
    BadPod("negative-zero", asks("-0"), placed=True),
    BadPod(
        "impossible",
        {"containers": [container(cpu="1000", memory="1000Ti")], "nodeSelector": {"good": "yes"}},
        waits=CPU,
    ),
    BadPod("thousands", asks("1e3") | {"nodeSelector": {"good": "yes"}}, waits=CPU),
    BadPod("huge", asks(str(HUGE)) | {"nodeSelector": {"good": "yes"}}, waits=CPU),
    BadPod("huger", asks("1e400") | {"nodeSelector": {"good": "yes"}}, waits=CPU),
    BadPod("tiny", asks("1n"), placed=True),
    BadPod("tinier", asks("1e-400"), placed=True),
    BadPod("extended", extended(str(HUGE)), waits="Insufficient example.com/thing"),
    BadPod("half-a-thing", extended("0.5"), refused=True),
    BadPod("containers", {"containers": [container(f"c{i}") for i in range(100)]}, placed=True),
    BadPod(
        "containers-huge",
        {"containers": [container(f"c{i}", memory=str(HUGE)) for i in range(100)], "nodeSelector": {"good": "yes"}},
        waits="Insufficient memory",
    ),
    BadPod("containers-same", {"containers": [container()] * 2}, refused=True),
    BadPod(
        "sidecars",
        {"initContainers": [container(f"i{i}") | {"restartPolicy": "Always"} for i in range(100)]},
        placed=True,
    ),
    BadPod("label-63", {}, metadata={"labels": {"l": LONG}}, placed=True),
    BadPod("label-64", {}, metadata={"labels": {"l": LONG + "x"}}, refused=True),
    BadPod("label-unicode", {}, metadata={"labels": {"l": "größe"}}, refused=True),
    BadPod("labels", {}, metadata={"labels": {f"l{i}": LONG for i in range(2000)}}, placed=True),
    BadPod("annotations", {}, metadata={"annotations": {"a": "✓größe\U0001f600\u0000" * 1000}}, placed=True),
    BadPod("annotations-large", {}, metadata={"annotations": {"a": "x" * 262_145}}, refused=True),
    BadPod("selector-63", {"nodeSelector": {"l": LONG}}, waits="didn't match Pod's node affinity/selector"),
    BadPod("selector-unicode", {"nodeSelector": {"l": "größe"}}, refused=True),
    BadPod("selector-many", {"nodeSelector": {f"l{i}": LONG for i in range(2000)}}, placed=True),
    BadPod("operator", node_affinity("l", "NearlyIn", "x"), refused=True),
    BadPod("operator-pods", pod_affinity("podAffinity", term(operator="NearlyIn", values=("x",))), refused=True),
    BadPod("greater", node_affinity("l", "Gt", "x"), waits="Gt for key 'l' has values ['x']"),
    BadPod("greater-huge", node_affinity("l", "Gt", str(HUGE + 1)), waits="one whole number is needed"),
    BadPod("values", node_affinity("good", "In", *(f"v{i}" for i in range(MANY)), "yes"), placed=True),
    BadPod("affinity-terms", pod_affinity("podAntiAffinity", *(term(f"t{i}") for i in range(300))), placed=True),
    BadPod("affinity-nobody", pod_affinity("podAffinity", term()), waits="didn't match pod affinity rules"),
    BadPod("topology-key", pod_affinity("podAntiAffinity", term("a b")), refused=True),
    BadPod("skew-0", spread(maxSkew=0), refused=True),
    BadPod("skew-huge", spread(maxSkew=2**31 - 1) | {"nodeSelector": {"good": "yes"}}, placed=True),
    BadPod("skew-huger", spread(maxSkew=2**31), refused=True),
    BadPod("domains-huge", spread(minDomains=2**31 - 1) | {"nodeSelector": {"good": "yes"}}, placed=True),
    BadPod("unsatisfiable", spread(whenUnsatisfiable="Newer"), refused=True),
    BadPod("topology-nowhere", spread(topologyKey="nowhere"), waits="missing required label"),
    BadPod("toleration-operator", {"tolerations": [{"key": "k", "operator": "Newer", "value": "1"}]}, refused=True),
    BadPod("toleration-effect", {"tolerations": [{"operator": "Exists", "effect": "Newer"}]}, refused=True),
    BadPod("tolerations", {"tolerations": tolerations(MANY), "nodeSelector": {"name": "bad-taints"}}, placed=True),
    BadPod("port", {"containers": [container(ports=[{"containerPort": 1, "hostPort": 65536}])]}, refused=True),
    BadPod("priority", {"priority": 2_000_000_000}, refused=True),
    BadPod("priority-class", {"priorityClassName": "nobody"}, refused=True),
    BadPod("policy", {"preemptionPolicy": "Newer"}, refused=True),
    BadPod("gate", {"schedulingGates": [{"name": "example.com/wait"}]}),
    BadPod("claim", {"resourceClaims": [{"name": "c", "resourceClaimName": "nobody"}]}, waits="allocates no devices"),
    BadPod(
        "volumes",
        {"volumes": [{"name": f"v{i}", "persistentVolumeClaim": {"claimName": f"nobody-{i}"}} for i in range(200)]},
        waits="not found",
    ),
    BadPod("no-containers", {"containers": []}, refused=True),
    BadPod("null-containers", {"containers": None}, refused=True),
    BadPod("a-list", {"containers": {"name": "c"}}, refused=True),
    BadPod("a-number", {"containers": [container() | {"image": 5}]}, refused=True),
    BadPod("too-large", {}, metadata={"annotations": {f"a{i}": "x" * 200_000 for i in range(9)}}, refused=True),
    BadPod("other-scheduler", {"schedulerName": "größe ✓"}),
    BadPod("p" * 253, {}, placed=True),
    BadPod("p" * 254, {}, refused=True),
    BadPod("Größe", {}, refused=True),
)
