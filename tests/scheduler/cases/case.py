"""A case: a cluster, a pod, and for some a configuration of the profile."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypedDict

from . import volume
from .configuration import configuration
from .draw import NAMESPACES, POD_LABELS, Json, chance, labels, present, some
from .node import IMAGES, image_sizes, node, node_affinity, node_selector, tolerations
from .pod import TEAMS, containers, metadata, placed_pod, pod_affinity, spread_constraint

THEMES = {
    "taints": 5,
    "unschedulable": 3,
    "affinity": 6,
    "named": 2,
    "ports": 4,
    "resources": 4,
    "restrictions": 11,
    "limits": 1,
    "binding": 7,
    "provisioning": 9,
    "zone": 5,
    "spread": 6,
    "interpod": 10,
    "features": 5,
    "images": 4,
    "defaults": 4,
    "resize": 3,
    "nominated": 2,
    "configured": 3,
    "crowded": 4,
}
"""How often each is drawn; chosen so that of 8,000 cases more than 200 fall to each plugin."""


class Case(TypedDict, total=False):
    """What the reference program reads, a line each."""

    id: str
    configuration: Json | None
    objects: dict[str, list[Json]]
    pod: Json
    preempt: bool


def make_case(rng: Random, name: str, themes: Sequence[str] | None = None) -> Case:
    """A case with one to four themes, or those that are given."""
    chosen = set(themes or rng.choices(list(THEMES), list(THEMES.values()), k=rng.choice([1, 2, 3, 3, 4])))
    names = [f"n{i}" for i in range(rng.randint(3, 12))]
    sizes = image_sizes(rng)
    nodes = [node(rng, each, chosen, sizes) for each in names]
    pods = [placed_pod(rng, f"p{i}", names, chosen) for i in range(rng.choice([0, 4, 8, 12, 20]))]
    objects: dict[str, list[Json]] = {
        "nodes": nodes,
        "pods": pods,
        "namespaces": [{"metadata": present(name=each, labels=labels(rng, TEAMS, share=0.6))} for each in NAMESPACES],
    }
    pod = incoming(rng, names, chosen)
    if "crowded" in chosen:
        objects["poddisruptionbudgets"] = budgets(rng)
    if "defaults" in chosen:
        owners(rng, objects, pod)
    if "ports" in chosen:
        keep_ports_apart(pods)
    if chosen & {"restrictions", "limits", "binding", "provisioning", "zone"}:
        volume.furnish(rng, objects, pod, chosen)
    made: Case = {"id": name, "objects": objects, "pod": pod, "preempt": True}
    if "configured" in chosen:
        made["configuration"] = configuration(rng)
    return made


def incoming(rng: Random, names: list[str], themes: set[str]) -> Json:
    meta = metadata(rng, "incoming")
    spec = containers(rng, themes)
    spec["schedulerName"] = "default-scheduler"
    affinity: Json = {}
    if "affinity" in themes:
        affinity["nodeAffinity"] = node_affinity(rng, names)
        if chance(rng, 0.2):
            spec["nodeSelector"] = node_selector(rng)
    if "named" in themes:
        spec["nodeName"] = rng.choice([*names, "n0", "nowhere"])
    if "interpod" in themes and chance(rng, 0.8):
        affinity |= pod_affinity(rng, required=0.45, preferred=0.5)
    if affinity:
        spec["affinity"] = affinity
    if themes & {"taints", "unschedulable"} and chance(rng, 0.7):
        spec["tolerations"] = tolerations(rng)
    if "spread" in themes:
        actions = [rng.choice(["DoNotSchedule", "DoNotSchedule", "ScheduleAnyway"]) for _ in range(rng.randint(1, 3))]
        spec["topologySpreadConstraints"] = [spread_constraint(rng, action) for action in actions]
    if "images" in themes and chance(rng, 0.2):
        spec["volumes"] = [{"name": "files", "image": {"reference": rng.choice(IMAGES)}}]
    if "features" in themes and chance(rng, 0.3):
        spec |= {"hostNetwork": True, "hostUsers": False}
    if chance(rng, 0.01):
        spec["schedulingGates"] = [{"name": "example.com/wait"}]
    spec["priority"] = rng.choice([0, 0, 8, 8, 1000] if "crowded" not in themes else [8, 1000])
    if chance(rng, 0.05):
        spec.pop("priority")
    if chance(rng, 0.05):
        spec["preemptionPolicy"] = "Never"
    status: Json = {"phase": "Pending"}
    if themes & {"nominated", "crowded"} and not themes & {"named", "affinity"} and chance(rng, 0.2):
        # not beside a node that the pod names: of the nominated one kube-scheduler then tells another reason
        status["nominatedNodeName"] = rng.choice([*names, "nowhere"])
    return {"metadata": meta, "spec": spec, "status": status}


def keep_ports_apart(pods: list[Json]) -> None:
    """No two pods of a node hold the very same port, as no scheduler would let them.

    kube-scheduler keeps a set of them: when one of two goes, in a preemption, it takes the port for free.
    """
    held: set[tuple[object, ...]] = set()
    for pod in pods:
        node = pod["spec"].get("nodeName") or pod["status"].get("nominatedNodeName")
        for each in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())):
            for port in list(each.get("ports", ())):
                entry = (node, port.get("hostIP") or "0.0.0.0", port.get("protocol"), port.get("hostPort"))
                if entry in held:
                    each["ports"].remove(port)
                held.add(entry)


def budgets(rng: Random) -> list[Json]:
    """At most one for any pod: which of several a pod counts against depends on the order of a map."""
    return [
        {
            "metadata": {"name": f"b-{namespace}-{app}", "namespace": namespace},
            "spec": {"selector": {"matchLabels": {"app": app}} if chance(rng, 0.9) else {}},
            "status": {
                "disruptionsAllowed": rng.choice([0, 0, 1, 2]),
                "disruptedPods": {f"p{rng.randrange(20)}": "2026-01-01T00:00:00Z"},
            },
        }
        for namespace in NAMESPACES
        for app in some(rng, POD_LABELS["app"])
    ]


def owners(rng: Random, objects: dict[str, list[Json]], pod: Json) -> None:
    """Services and controllers, some of which select the pod."""
    namespace, own = pod["metadata"]["namespace"], pod["metadata"].get("labels", {})
    for i in range(rng.randint(0, 2)):
        selector: Json | None = dict(some(rng, list(own.items()))) if chance(rng, 0.8) else None
        if chance(rng, 0.2):
            selector = labels(rng, POD_LABELS, share=0.5)
        service = {"metadata": {"name": f"s{i}", "namespace": namespace}, "spec": present(selector=selector)}
        objects.setdefault("services", []).append(service)
    kind, version, plural = rng.choice(
        [
            ("ReplicationController", "v1", "replicationcontrollers"),
            ("ReplicaSet", "apps/v1", "replicasets"),
            ("ReplicaSet", "apps.example.com/v1", "replicasets"),
            ("StatefulSet", "apps/v1", "statefulsets"),
            ("Job", "batch/v1", "jobs"),
        ]
    )
    reference = {"apiVersion": version, "kind": kind, "name": "owner", "uid": "uid-owner", "controller": True}
    pod["metadata"]["ownerReferences"] = [reference]
    if plural == "jobs" or chance(rng, 0.1):
        return
    chosen = dict(some(rng, list(own.items())))
    of_set: Json = {"matchLabels": chosen}
    if chance(rng, 0.3):
        wanted = [{"key": key, "operator": "In", "values": [value, "other"]} for key, value in chosen.items()]
        of_set = {"matchExpressions": wanted}
    spec = {"selector": chosen if kind == "ReplicationController" else of_set}
    objects[plural] = [{"metadata": {"name": "owner", "namespace": namespace}, "spec": spec}]
