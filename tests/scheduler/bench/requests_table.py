"""Requests and what a real API server 1.37 answers: asked of it, and of ours in memory, by the tests beside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from idcbench.scheduler.bench import templates as t

PODS = "/api/v1/namespaces/default/pods"


def spec(**given: Any) -> Any:
    return t.pod("one", **given)


def container(**given: Any) -> Any:
    pod = t.pod("one")
    pod["spec"]["containers"][0] |= given
    return pod


def metadata(**given: Any) -> Any:
    pod = t.pod("one")
    pod["metadata"] |= given
    return pod


def node(**given: Any) -> Any:
    return t.node("one") | given


def binding(pod: str = "waiting", node: str = "here", **given: Any) -> Any:
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod} | given,
        "target": {"kind": "Node", "name": node},
    }


@dataclass(frozen=True)
class Asked:
    """A request and the status it gets. ``before`` is done first, and must be answered with 2xx."""

    name: str
    method: str
    path: str
    body: Any
    status: int
    before: list[tuple[str, str, Any]] = field(default_factory=list)
    type: str = "application/json"


def create(name: str, pod: Any, status: int) -> Asked:
    return Asked(name, "POST", PODS, pod, status)


def lease(**spec: Any) -> Any:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "one", "namespace": "default"},
        "spec": spec,
    }


def affinity(operator: str, values: list[str]) -> Any:
    terms = [{"matchExpressions": [{"key": "a", "operator": operator, "values": values}]}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


TO_POD = {**binding(), "target": {"kind": "Pod", "name": "a"}}
WAITING = [("POST", PODS, t.pod("waiting"))]
BINDING = f"{PODS}/waiting/binding"
BOUND = [*WAITING, ("POST", BINDING, binding())]
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no"}
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
STALE_LEASE = {**lease(), "metadata": {"name": "one", "resourceVersion": "1"}}
STRATEGIC = "application/strategic-merge-patch+json"

REQUESTS = [
    # names
    create("a good pod", spec(), 201),
    create("an upper-case name", metadata(name="One"), 422),
    create("no name", metadata(name=""), 422),
    create("a name of 254 characters", metadata(name="a" * 254), 422),
    create("a name of 253 characters", metadata(name="a" * 253), 201),
    create("another namespace in the body", metadata(namespace="kube-system"), 400),
    create("a label of 63 characters", metadata(labels={"a": "b" * 63}), 201),
    create("a label of 64 characters", metadata(labels={"a": "b" * 64}), 422),
    create("a unicode label", metadata(labels={"a": "größe"}), 422),
    create("a label key without a name", metadata(labels={"a/": "b"}), 422),
    create("a container without a name", container(name=""), 422),
    create("no containers", {**t.pod("one"), "spec": {"containers": []}}, 422),
    create("another kind", {**t.pod("one"), "kind": "Node"}, 400),
    # quantities
    create("1e3", spec(requests={"cpu": "1e3"}), 201),
    create("1e3k", spec(requests={"cpu": "1e3k"}), 400),
    create("words", spec(requests={"cpu": "much"}), 400),
    create("nothing", spec(requests={"cpu": ""}), 400),
    create("negative", spec(requests={"cpu": "-1"}), 422),
    create("huge", spec(requests={"memory": "1" + "0" * 30}), 201),
    create("more requested than the limit", container(resources={"requests": {"cpu": 2}, "limits": {"cpu": "1"}}), 422),
    # ports, tolerations, affinity, spreading, priority, gates
    create("a host port beyond all", container(ports=[{"containerPort": 80, "hostPort": 70000}]), 422),
    create("an unknown toleration operator", spec(tolerations=[{"key": "a", "operator": "Like"}]), 422),
    create("a toleration of everything", spec(tolerations=[{"operator": "Exists"}]), 201),
    create("a toleration without key", spec(tolerations=[{"value": "a"}]), 422),
    create("an unknown operator", spec(affinity=affinity("Like", ["b"])), 422),
    create("In without values", spec(affinity=affinity("In", [])), 422),
    create("Gt of two", spec(affinity=affinity("Gt", ["1", "2"])), 422),
    create("a good term", spec(affinity=affinity("In", ["b"])), 201),
    create("no topology key", spec(affinity=t.pod_affinity("blue", key="")), 422),
    create("a skew of 0", spec(topologySpreadConstraints=[t.spreading("a", hard=True)[0] | {"maxSkew": 0}]), 422),
    create("an unknown priority class", spec(priorityClassName="none"), 403),
    create("a priority that no class gives", spec(priority=10), 403),
    create("gated and placed", spec(schedulingGates=[{"name": "a"}], nodeName="here"), 422),
    # namespaces, versions, kinds
    Asked("a namespace that is not there", "POST", "/api/v1/namespaces/none/pods", metadata(namespace="none"), 404),
    Asked("a pod that is there already", "POST", PODS, t.pod("waiting"), 409, WAITING),
    Asked("a pod that is not there", "GET", f"{PODS}/none", None, 404),
    Asked("a resource that is not there", "GET", "/api/v1/nothing", None, 404),
    Asked("a group that is not there", "GET", "/apis/none.example/v1/things", None, 404),
    Asked("a node with bad taint", "POST", "/api/v1/nodes", node(spec={"taints": [{"key": "a", "effect": "No"}]}), 422),
    Asked("a node with a bad amount", "POST", "/api/v1/nodes", node(status={"capacity": {"cpu": "x"}}), 400),
    Asked("a node without capacity", "POST", "/api/v1/nodes", node(status={}), 201),
    # bindings
    Asked("a binding", "POST", BINDING, binding(), 201, WAITING),
    Asked("a binding to nowhere that anybody knows", "POST", BINDING, binding(node="none"), 201, WAITING),
    Asked("a second binding", "POST", BINDING, binding(node="there"), 409, BOUND),
    Asked("the same binding again", "POST", BINDING, binding(), 409, BOUND),
    Asked("a binding of nobody", "POST", f"{PODS}/none/binding", binding("none"), 404),
    Asked("a binding without node", "POST", BINDING, binding(node=""), 500, WAITING),
    Asked("a binding of another pod of that name", "POST", BINDING, binding(uid="another"), 409, WAITING),
    Asked("a binding to a pod", "POST", BINDING, TO_POD, 500, WAITING),
    Asked("a gated pod", "POST", f"{PODS}/gated/binding", binding("gated"), 409, [
        ("POST", PODS, t.pod("gated", schedulingGates=[{"name": "a"}]))]),
    Asked("a pod on its way out", "POST", BINDING, binding(), 409, [
        ("POST", PODS, {**t.pod("waiting"), "metadata": {"name": "waiting", "finalizers": ["a.b/c"]}}),
        ("DELETE", f"{PODS}/waiting", None)]),
    # status and leases
    Asked("a condition", "PATCH", f"{PODS}/waiting/status", {"status": {"conditions": [UNSCHEDULABLE]}}, 200,
        WAITING, STRATEGIC),
    Asked("a condition of nobody", "PATCH", f"{PODS}/none/status", {"status": {}}, 404, [], STRATEGIC),
    Asked("a patch that is none", "PATCH", f"{PODS}/waiting/status", {}, 415, WAITING, "application/json"),
    Asked("a stale patch", "PATCH", f"{PODS}/waiting/status", {"metadata": {"resourceVersion": "1"}, "status": {
        "nominatedNodeName": "a"}}, 409, WAITING, STRATEGIC),
    Asked("another node by update", "PATCH", f"{PODS}/waiting", {"spec": {"nodeName": "there"}}, 422, BOUND, STRATEGIC),
    Asked("a stale lease", "PUT", f"{LEASES}/one", STALE_LEASE, 409, [
        ("POST", LEASES, lease(holderIdentity="me", leaseDurationSeconds=15))]),
    Asked("a lease of no time", "POST", LEASES, lease(holderIdentity="me", leaseDurationSeconds=0), 422),
    Asked("a deletion of another", "DELETE", f"{PODS}/waiting", {"preconditions": {"uid": "another"}}, 409, WAITING),
]  # fmt: skip
