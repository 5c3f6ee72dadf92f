"""Nodes, and what a pod may ask of the node object."""

from __future__ import annotations

from random import Random

from .draw import HOST, NODE_LABELS, Json, chance, labels, present, requirement, some

TAINTS = [
    {"key": key, "value": value, "effect": effect}
    for key in ("dedicated", "gpu")
    for value in ("", "yes", "5")
    for effect in ("NoSchedule", "NoExecute", "PreferNoSchedule", "PreferNoSchedule")
]
FEATURES = [
    "RestartAllContainersOnContainerExits",
    "UserNamespacesHostNetworkSupport",
    "VolumeBindMountOptions",
    "SomethingUnknown",
]
IMAGES = ["web:1", "db:latest", "registry.example:5000/tool", "job@sha256:0"]


def node(rng: Random, name: str, themes: set[str], sizes: dict[str, int]) -> Json:
    """``sizes`` are those of the images in this cluster."""
    own = labels(rng, NODE_LABELS, share=0.75)
    if chance(rng, 0.93):
        own[HOST] = name if chance(rng, 0.95) else "shared"
    spec: Json = {}
    if "taints" in themes:
        spec["taints"] = some(rng, TAINTS, most=3) if chance(rng, 0.6) else None
    if "unschedulable" in themes and chance(rng, 0.4):
        spec["unschedulable"] = True
    allocatable = {
        "cpu": rng.choice(["8", "16000m", "24", "8500m"]),
        "memory": rng.choice(["16Gi", "24Gi", "64Gi", "30000Mi"]),
        "pods": "110",
        "ephemeral-storage": "20Gi",
    }
    if "resources" in themes:
        allocatable |= {"cpu": rng.choice(["4", "4000m", "2", "8"]), "memory": rng.choice(["4Gi", "16Gi", "3000Mi"])}
        allocatable["pods"] = rng.choice(["110", "110", "4", "2"])
    if "crowded" in themes:
        allocatable |= {"cpu": rng.choice(["1", "1500m", "2"]), "pods": rng.choice(["3", "4", "110"])}
    if "resources" in themes:
        allocatable |= some_extended(rng)
        if chance(rng, 0.05):
            allocatable.pop(rng.choice(["cpu", "memory", "pods"]))
        if chance(rng, 0.04):
            allocatable["cpu"] = "0"
    status = present(
        allocatable=allocatable,
        images=images(rng, sizes) if "images" in themes else None,
        declaredFeatures=some(rng, FEATURES) if "features" in themes else None,
    )
    metadata = present(name=name, uid=f"uid-{name}", labels=own if chance(rng, 0.97) else None)
    return {"metadata": metadata, "spec": present(**spec), "status": status}


def some_extended(rng: Random) -> Json:
    offers = {"example.com/gpu": ["2", "4", "1"], "hugepages-2Mi": ["100Mi", "512Mi"], "idc/disk-iops": ["1000", "0"]}
    return {name: rng.choice(values) for name, values in offers.items() if chance(rng, 0.7)}


def image_sizes(rng: Random) -> dict[str, int]:
    """One for a name: kube-scheduler's cache gives an image the size that the first node told, on all nodes."""
    names = ("web:1", "db:latest", "registry.example:5000/tool:latest", "unused:3")
    choices = (1 << 20, 30 << 20, 500 << 20, 1400 << 20, 3 << 30, rng.randrange(1 << 33))
    return {name: rng.choice(choices) for name in names}


def images(rng: Random, sizes: dict[str, int]) -> list[Json]:
    return [
        {"names": [name, f"mirror/{name}"] if chance(rng, 0.1) else [name], "sizeBytes": sizes[name]}
        for name in some(rng, list(sizes))
    ]


def tolerations(rng: Random) -> list[Json]:
    made = []
    for _ in range(rng.randint(0, 3)):
        operator = rng.choice(["Equal", "Exists", ""] if chance(rng, 0.97) else ["Gt", "Lt"])
        key = rng.choice(["dedicated", "gpu", "other"])
        if operator == "Exists" and chance(rng, 0.15):
            key = ""
        value = "" if operator == "Exists" else rng.choice(["", "yes", "5", "7"])
        effect = rng.choice(["", "NoSchedule", "NoExecute", "PreferNoSchedule"])
        fields = {"key": key, "operator": operator, "value": value, "effect": effect}
        made.append({name: field for name, field in fields.items() if field})
    if chance(rng, 0.25):
        cordon = {"key": "node.kubernetes.io/unschedulable"}
        made.append(
            cordon
            | rng.choice(
                [
                    {"operator": "Exists", "effect": "NoSchedule"},
                    {"operator": "Exists"},
                    {"operator": "Equal", "effect": "NoSchedule"},
                    {"operator": "Equal", "value": "true"},
                    {"operator": "Exists", "effect": "NoExecute"},
                ]
            )
        )
    return made


def term(rng: Random, names: list[str]) -> Json:
    """A node selector term; sometimes without requirements, sometimes naming a node."""
    made: Json = {}
    if chance(rng, 0.9):
        made["matchExpressions"] = [requirement(rng, NODE_LABELS, numbers=True) for _ in range(rng.choice([1, 1, 2]))]
    if chance(rng, 0.12):
        field = {"key": "metadata.name", "operator": rng.choice(["In", "NotIn"]), "values": [rng.choice(names)]}
        made["matchFields"] = [field]
    return made


def node_affinity(rng: Random, names: list[str]) -> Json:
    made: Json = {}
    if chance(rng, 0.5):
        required = {"nodeSelectorTerms": [term(rng, names) for _ in range(rng.choice([1, 2, 2, 3]))]}
        if chance(rng, 0.05):  # no label may begin with a minus sign: this term matches nothing
            negative = {"key": "cores", "operator": "Gt", "values": ["-5"]}
            required["nodeSelectorTerms"].append({"matchExpressions": [negative]})
        if chance(rng, 0.15):  # all by name
            fields = [
                {"key": "metadata.name", "operator": "In", "values": [name]} for name in some(rng, names, least=1)
            ]
            required = {"nodeSelectorTerms": [{"matchFields": [field]} for field in fields]}
        made["requiredDuringSchedulingIgnoredDuringExecution"] = required
    if chance(rng, 0.85):
        preferred = [
            {"weight": rng.choice([1, 10, 33, 100]), "preference": term(rng, names)}
            for _ in range(rng.choice([0, 1, 2, 2, 3]))
        ]
        made["preferredDuringSchedulingIgnoredDuringExecution"] = preferred
    return made


def node_selector(rng: Random) -> dict[str, str]:
    return {key: rng.choice(values) for key, values in NODE_LABELS.items() if chance(rng, 0.25)}
