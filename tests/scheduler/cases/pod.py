"""Pods: what they ask for, and how they relate to other pods."""

from __future__ import annotations

from random import Random

from .draw import NAMESPACES, POD_LABELS, TOPOLOGIES, Json, chance, label_selector, labels, present, some
from .node import IMAGES

TEAMS = {"team": ("red", "blue"), "kind": ("prod", "test")}


def quantities(rng: Random, *, extended: bool, share: float = 0.8) -> Json:
    asked: Json = {}
    if chance(rng, share):
        asked["cpu"] = rng.choice(["100m", "250m", "1", "1500m", "0.3", "0", "1250u"])
    if chance(rng, share):
        asked["memory"] = rng.choice(["128Mi", "500Mi", "1Gi", "2e9", "0", "1500M", "100.5Ki"])
    if extended and chance(rng, 0.2):
        asked["ephemeral-storage"] = rng.choice(["1Gi", "8Gi", "15Gi"])
    if extended and chance(rng, 0.45):
        asked["example.com/gpu"] = rng.choice(["1", "1", "2", "0"])
    if extended and chance(rng, 0.15):
        asked["idc/disk-iops"] = rng.choice(["100", "600"])
    if extended and chance(rng, 0.15):
        asked["hugepages-2Mi"] = rng.choice(["20Mi", "200Mi"])
    return asked


def container(rng: Random, name: str, themes: set[str]) -> Json:
    made: Json = {"name": name, "image": rng.choice(IMAGES)}
    if chance(rng, 0.85):
        made["resources"] = {"requests": quantities(rng, extended="resources" in themes)}
    if "ports" in themes and chance(rng, 0.6):
        made["ports"] = [port(rng) for _ in range(rng.randint(1, 2))]
    if "features" in themes and chance(rng, 0.15):
        made["restartPolicyRules"] = [{"action": "RestartAllContainers"}]
    if "features" in themes and chance(rng, 0.1):
        made["volumeMounts"] = [{"name": "v", "mountPath": "/v", "bindMountOptions": ["noexec"]}]
    return made


def port(rng: Random) -> Json:
    fields = {
        "containerPort": 80,
        "hostPort": rng.choice([0, 80, 80, 443, 8080]),
        "hostIP": rng.choice(["", "", "0.0.0.0", "10.0.0.1", "10.0.0.2", "::1"]),
        "protocol": rng.choice(["TCP", "TCP", "UDP", "SCTP"]),
    }
    return {name: field for name, field in fields.items() if field}


def containers(rng: Random, themes: set[str]) -> Json:
    spec: Json = {"containers": [container(rng, f"c{i}", themes) for i in range(rng.choice([1, 1, 2, 3]))]}
    if chance(rng, 0.3 if "resources" in themes else 0.1):
        spec["initContainers"] = []
        for i in range(rng.randint(1, 3)):
            init = container(rng, f"i{i}", themes)
            if chance(rng, 0.5):
                init["restartPolicy"] = "Always"
            spec["initContainers"].append(init)
    if "resources" in themes and chance(rng, 0.15):
        spec["overhead"] = {"cpu": "120m", "memory": "64Mi"}
    if "resources" in themes and chance(rng, 0.2):
        # no fractions of Ki: of those kube-scheduler adds the overhead to the object itself, anew each time it looks
        # (helpers.go applyPodLevelResources shares the number); the API server would store them whole
        level = quantities(rng, extended=False)
        if chance(rng, 0.15):
            level["hugepages-2Mi"] = rng.choice(["20Mi", "300Mi"])
        spec["resources"] = {"requests": {k: v for k, v in level.items() if v not in ("0", "100.5Ki")}}
    return spec


def resized(rng: Random, spec: Json) -> Json:
    """A status as in-place resizing leaves it: granted, held, refused or put off."""
    status: Json = {"containerStatuses": [], "initContainerStatuses": []}
    for key, field in (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses")):
        for each in spec.get(key, ()):
            one: Json = {"name": each["name"]}
            if chance(rng, 0.6):
                one["allocatedResources"] = quantities(rng, extended=False)
            if chance(rng, 0.5):
                one["resources"] = {"requests": quantities(rng, extended=False)} if chance(rng, 0.9) else {}
            status[field].append(one)
    if chance(rng, 0.3):
        reason = rng.choice(["Infeasible", "Infeasible", "Deferred"])
        status["conditions"] = [{"type": "PodResizePending", "status": "True", "reason": reason}]
    if "resources" in spec and chance(rng, 0.5):
        status["resources"] = {"requests": quantities(rng, extended=False)}
        status["allocatedResources"] = quantities(rng, extended=False)
    return status


def affinity_term(rng: Random) -> Json:
    namespaces, selector = None, None
    if chance(rng, 0.25):
        namespaces = some(rng, NAMESPACES, least=1, most=2)
    if chance(rng, 0.25):
        selector = label_selector(rng, TEAMS)
    keys = [rng.choice(list(POD_LABELS))] if chance(rng, 0.1) else None
    return present(
        labelSelector=label_selector(rng),
        topologyKey=rng.choice(TOPOLOGIES),
        namespaces=namespaces,
        namespaceSelector=selector,
        matchLabelKeys=keys,
    )


def pod_affinity(rng: Random, *, required: float, preferred: float) -> Json:
    """Terms under podAffinity and podAntiAffinity, with the chances for each kind."""
    made: Json = {}
    for side in ("podAffinity", "podAntiAffinity"):
        terms: Json = {}
        if chance(rng, required):
            hard = [affinity_term(rng) for _ in range(rng.choice([1, 1, 1, 2]))]
            terms["requiredDuringSchedulingIgnoredDuringExecution"] = hard
        if chance(rng, preferred):
            soft = [
                {"weight": rng.choice([1, 5, 50, 100]), "podAffinityTerm": affinity_term(rng)}
                for _ in range(rng.randint(1, 2))
            ]
            terms["preferredDuringSchedulingIgnoredDuringExecution"] = soft
        if terms:
            made[side] = terms
    return made


def break_a_term(rng: Random, affinity: Json) -> None:
    """An operator of a newer API in one of a placed pod's terms, if it has any."""
    for side in affinity.values():
        for term in side.get("requiredDuringSchedulingIgnoredDuringExecution", ()):
            if chance(rng, 0.5):
                term["labelSelector"] = {"matchExpressions": [{"key": "app", "operator": "Near", "values": ["web"]}]}


def spread_constraint(rng: Random, action: str) -> Json:
    return present(
        maxSkew=rng.choice([1, 1, 1, 2, 3]),
        topologyKey=rng.choice(TOPOLOGIES),
        whenUnsatisfiable=action,
        labelSelector=label_selector(rng),
        minDomains=rng.choice([1, 2, 3, 5]) if action == "DoNotSchedule" and chance(rng, 0.25) else None,
        nodeAffinityPolicy=rng.choice(["Honor", "Ignore"]) if chance(rng, 0.3) else None,
        nodeTaintsPolicy=rng.choice(["Honor", "Ignore"]) if chance(rng, 0.3) else None,
        matchLabelKeys=[rng.choice([*POD_LABELS, "absent"])] if chance(rng, 0.15) else None,
    )


def metadata(rng: Random, name: str) -> Json:
    namespace = rng.choices([*NAMESPACES, "unlisted"], [6, 2, 2, 0.3])[0]
    return present(
        name=name,
        namespace=namespace,
        uid=f"uid-{name}",
        labels=labels(rng, POD_LABELS, share=0.7) if chance(rng, 0.95) else None,
        creationTimestamp="2026-01-01T00:00:00Z",
    )


def placed_pod(rng: Random, name: str, nodes: list[str], themes: set[str]) -> Json:
    """A pod that has a node, or had one, or waits for one that it is nominated to."""
    meta = metadata(rng, name)
    spec = containers(rng, themes)
    spec["schedulerName"] = "default-scheduler"
    spec["nodeName"] = rng.choice(nodes)
    spec["priority"] = rng.choice([0, 0, 5, 10, -3])
    if chance(rng, 0.03):
        spec.pop("priority")
    status: Json = {"phase": "Running", "startTime": f"2026-01-01T00:{rng.randrange(60):02}:{int(name[1:]):02}Z"}
    if "resize" in themes and chance(rng, 0.5):
        status |= resized(rng, spec)
    if "interpod" in themes and chance(rng, 0.5):
        spec["affinity"] = pod_affinity(rng, required=0.25, preferred=0.35)
        if chance(rng, 0.05):
            break_a_term(rng, spec["affinity"])
    if "nominated" in themes and chance(rng, 0.25):
        status = {"phase": "Pending", "nominatedNodeName": spec.pop("nodeName")}
        spec["priority"] = rng.choice([0, 10, 10, 20])
    if chance(rng, 0.2 if themes & {"nominated", "crowded"} else 0.08):
        meta |= {"deletionTimestamp": "2026-01-01T01:00:00Z", "deletionGracePeriodSeconds": 30}
        reason = rng.choice(["PreemptionByScheduler", "PreemptionByScheduler", "EvictionByEvictionAPI"])
        told = {"type": "DisruptionTarget", "status": "True", "reason": reason}
        status["conditions"] = [*status.get("conditions", ()), told]
    elif chance(rng, 0.03) and "nominatedNodeName" not in status and not spec.get("affinity"):
        spec["nodeName"] = "gone"
    if chance(rng, 0.04):
        status["phase"] = rng.choice(["Succeeded", "Failed"])
    return {"metadata": meta, "spec": spec, "status": status}
