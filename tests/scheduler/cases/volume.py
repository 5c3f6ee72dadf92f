"""Volumes, claims, classes and drivers, used by the pod to place and by some that run."""

from __future__ import annotations

from random import Random

from .draw import REGION, ZONE, Json, chance, present, requirement, some

DRIVERS = ("csi.one", "csi.two")
IN_TREE = {"kubernetes.io/aws-ebs": "ebs.csi.aws.com", "kubernetes.io/gce-pd": "pd.csi.storage.gke.io"}
"""Provisioners of old, and the drivers that attach their volumes now."""
_NODE_KEYS = {ZONE: ("a", "b", "c"), REGION: ("north", "south"), "disk": ("ssd", "hdd")}


def furnish(rng: Random, objects: dict[str, list[Json]], pod: Json, themes: set[str]) -> None:
    """Add storage to the cluster, and volumes to the pod and to others."""
    if "provisioning" in themes:
        themes = themes | {"binding"}
    namespace = pod["metadata"]["namespace"]
    objects["storageclasses"] = [storage_class(rng, name, themes) for name in ("now", "later", "shared")]
    objects["csidrivers"] = [csi_driver(rng, name) for name in DRIVERS if chance(rng, 0.8)]
    nodes = [each["metadata"]["name"] for each in objects["nodes"]]
    objects["csinodes"] = [csi_node(rng, name, limited="limits" in themes) for name in nodes if chance(rng, 0.85)]
    objects["persistentvolumes"], objects["persistentvolumeclaims"] = [], []
    for i in range(6):
        add_claim(rng, objects, f"c{i}", namespace, themes)
    if "binding" in themes:
        objects["persistentvolumes"] += [free_volume(rng, f"free{i}") for i in range(rng.choice([0, 0, 2, 4]))]
        # one for a class and a zone: of several, kube-scheduler takes (and scores) whichever a map gives first
        objects["csistoragecapacities"] = [capacity(rng, zone) for zone in "abc" if chance(rng, 0.8)]
    if "provisioning" in themes:  # drivers that tell their room, and nothing that lies about ready
        objects["csidrivers"] = [{"metadata": {"name": name}, "spec": {"storageCapacity": True}} for name in DRIVERS]
        objects["persistentvolumes"] = [each for each in objects["persistentvolumes"] if "claimRef" in each["spec"]]
    claims = [each["metadata"]["name"] for each in objects["persistentvolumeclaims"]]
    pod["spec"]["volumes"] = [*pod["spec"].get("volumes", ()), *volumes(rng, claims, themes, most=2)]
    if "binding" in themes and chance(rng, 0.2):
        add_ephemeral(rng, objects, pod, themes)
    for other in objects["pods"]:  # of a node that is gone, kube-scheduler forgets who held which claim
        if chance(rng, 0.6) and other["spec"].get("nodeName") != "gone":
            usable = claims if other["metadata"]["namespace"] == namespace else []
            other["spec"]["volumes"] = volumes(rng, usable, themes, most=2)
    if "limits" in themes:
        objects["volumeattachments"] = [attachment(rng, i, nodes, objects) for i in range(rng.randint(0, 6))]


def storage_class(rng: Random, name: str, themes: set[str]) -> Json:
    old = [*IN_TREE, "kubernetes.io/azure-file"] if "limits" in themes and chance(rng, 0.3) else []
    made: Json = {"metadata": {"name": name}, "provisioner": rng.choice(old or DRIVERS)}
    made["volumeBindingMode"] = "WaitForFirstConsumer" if name == "later" else "Immediate"
    if name == "later" and chance(rng, 0.15):
        made["provisioner"] = "kubernetes.io/no-provisioner"
    if name == "later" and chance(rng, 0.3):
        zones = some(rng, ["a", "b", "c"], least=1)
        made["allowedTopologies"] = [{"matchLabelExpressions": [{"key": ZONE, "values": zones}]}]
    return made


def csi_driver(rng: Random, name: str) -> Json:
    spec: Json = {"storageCapacity": chance(rng, 0.85)}
    if name == DRIVERS[0] and chance(rng, 0.5):  # of two that are missing, kube-scheduler names any
        spec["preventPodSchedulingIfMissing"] = True
    return {"metadata": {"name": name}, "spec": spec}


def csi_node(rng: Random, name: str, *, limited: bool) -> Json:
    drivers = [
        present(name=d, nodeID=name, allocatable={"count": rng.randint(0, 3)} if limited and chance(rng, 0.8) else None)
        for d in ((*DRIVERS, *IN_TREE.values()) if limited else DRIVERS)
        if chance(rng, 0.8 if limited else 0.97)
    ]
    return {"metadata": {"name": name}, "spec": {"drivers": drivers}}


def capacity(rng: Random, zone: str) -> Json:
    return present(
        metadata={"name": f"in-{zone}", "namespace": "default"},
        storageClassName="later" if chance(rng, 0.9) else "now",
        nodeTopology={"matchLabels": {ZONE: zone}} if chance(rng, 0.95) else None,
        capacity=rng.choice(["5Gi", "20Gi", "100Gi"]),
        maximumVolumeSize=rng.choice(["1Gi", "50Gi"]) if chance(rng, 0.2) else None,
    )


def node_affinity(rng: Random) -> Json:
    terms = [{"matchExpressions": [requirement(rng, _NODE_KEYS)]} for _ in range(rng.choice([1, 1, 2]))]
    return {"required": {"nodeSelectorTerms": terms}}


def add_claim(rng: Random, objects: dict[str, list[Json]], name: str, namespace: str, themes: set[str]) -> Json:
    """A claim; bound to a volume of its own, waiting for its consumer, or in a state that bars the pod."""
    waiting = "binding" in themes and chance(rng, 0.95 if "provisioning" in themes else 0.55)
    modes = ["ReadWriteOncePod"] if "restrictions" in themes and chance(rng, 0.3) else ["ReadWriteOnce"]
    meta: Json = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    sizes = ["1Gi", "4Gi", "10Gi", "60Gi"] if chance(rng, 0.3) else ["1Gi", "3Gi"]
    spec: Json = {
        "accessModes": modes,
        "storageClassName": "later" if waiting else rng.choice(["now", "shared"]),
        "resources": {"requests": {"storage": rng.choice(sizes)}},
    }
    claim = {"metadata": meta, "spec": spec, "status": {"phase": "Pending"}}
    if waiting:
        if chance(rng, 0.2):
            meta["annotations"] = {
                "volume.kubernetes.io/selected-node": rng.choice(objects["nodes"])["metadata"]["name"]
            }
        if chance(rng, 0.15):
            spec["selector"] = {"matchLabels": {"grade": "gold"}}
    else:
        spec["volumeName"] = f"pv-{name}"
        meta["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
        claim["status"] = {"phase": "Bound"}
        if chance(rng, 0.98):
            objects["persistentvolumes"].append(volume(rng, name, namespace, themes))
    fate = rng.random()
    if fate < 0.01:
        claim["status"] = {"phase": "Lost"}
    elif fate < 0.02:
        meta |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0}
    elif fate < 0.03:
        meta.pop("annotations", None)
    objects["persistentvolumeclaims"].append(claim)
    return claim


def volume(rng: Random, claim: str, namespace: str, themes: set[str]) -> Json:
    """A volume that is bound to a claim."""
    topology: Json = {}
    if "zone" in themes and chance(rng, 0.8):
        key = rng.choice([ZONE, ZONE, REGION, "failure-domain.beta.kubernetes.io/zone"])
        values = ["north", "south", "north__south"] if key == REGION else ["a", "b", "a__c", "a__b", "b__"]
        topology[key] = rng.choice(values)
    spec = present(
        capacity={"storage": "100Gi"},
        accessModes=["ReadWriteOnce"],
        storageClassName="now",
        claimRef={"kind": "PersistentVolumeClaim", "namespace": namespace, "name": claim, "uid": f"uid-{claim}"},
        nodeAffinity=node_affinity(rng) if "binding" in themes and chance(rng, 0.7) else None,
        csi={"driver": rng.choice(DRIVERS), "volumeHandle": f"handle-{claim}"} if chance(rng, 0.9) else None,
    )
    if "limits" in themes and chance(rng, 0.35):
        spec.pop("csi", None)
        spec |= in_tree_disk(rng)
    return {
        "metadata": present(name=f"pv-{claim}", labels=topology or None),
        "spec": spec,
        "status": {"phase": "Bound"},
    }


def free_volume(rng: Random, name: str) -> Json:
    """A volume that a waiting claim may take; sizes differ, so that the smallest is one."""
    reserved = {"namespace": "default", "name": rng.choice(["c0", "c1"])} if chance(rng, 0.1) else None
    spec = present(
        capacity={
            "storage": f"{rng.randint(1, 40)}{int(name[4:])}Mi" if chance(rng, 0.2) else f"{5 + int(name[4:])}Gi"
        },
        accessModes=rng.choice([["ReadWriteOnce"], ["ReadWriteOnce", "ReadWriteOncePod"], ["ReadOnlyMany"]]),
        storageClassName="later",
        volumeMode=rng.choice(["Filesystem", "Filesystem", "Block"]) if chance(rng, 0.3) else None,
        claimRef=reserved,
        nodeAffinity=node_affinity(rng) if chance(rng, 0.7) else None,
        csi={"driver": "csi.one", "volumeHandle": f"handle-{name}"},
    )
    own = {"grade": "gold"} if chance(rng, 0.4) else None
    phase = rng.choice(["Available", "Available", "Available", "Released"])
    return {"metadata": present(name=name, labels=own), "spec": spec, "status": {"phase": phase}}


def add_ephemeral(rng: Random, objects: dict[str, list[Json]], pod: Json, themes: set[str]) -> None:
    """A volume of the pod's own, whose claim is there, missing, or somebody else's."""
    pod["spec"]["volumes"].append({"name": "own", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}})
    name = f"{pod['metadata']['name']}-own"
    if chance(rng, 0.9):
        claim = add_claim(rng, objects, name, pod["metadata"]["namespace"], themes)
        owner = pod["metadata"]["uid"] if chance(rng, 0.95) else "uid-of-another"
        reference = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": owner}
        claim["metadata"]["ownerReferences"] = [reference | {"controller": True}]


def volumes(rng: Random, claims: list[str], themes: set[str], *, most: int) -> list[Json]:
    made: list[Json] = []
    if claims and themes & {"limits", "binding", "provisioning", "zone", "restrictions"}:
        for claim in some(rng, claims, least=int("binding" in themes), most=most):
            made.append({"persistentVolumeClaim": {"claimName": claim}})
        if chance(rng, 0.01):
            made.append({"persistentVolumeClaim": {"claimName": "missing"}})
    if "restrictions" in themes:
        made += [disk(rng) for _ in range(rng.randint(0, 2))]
    if "limits" in themes and chance(rng, 0.4):
        made.append(in_tree_disk(rng))
    return [{"name": f"v{i}"} | each for i, each in enumerate(made)]


def in_tree_disk(rng: Random) -> Json:
    """A disk, of a volume or named by a pod, that a CSI driver attaches nowadays; the same one may be both."""
    match rng.randint(0, 4):
        case 0 | 1:
            identity = rng.choice(["vol-1", "aws://a/vol-1", "aws:///vol-2", "vol-3"])
            return {"awsElasticBlockStore": {"volumeID": identity}}
        case 2:
            return {"gcePersistentDisk": {"pdName": rng.choice("uvw"), "readOnly": True}}
        case 3:
            return {"azureDisk": {"diskName": "disk", "diskURI": rng.choice(["/disks/x", "/disks/y"])}}
    return {"cinder": {"volumeID": rng.choice("xy")}}


def disk(rng: Random) -> Json:
    """An inline volume of a kind that only one node may hold."""
    read_only = chance(rng, 0.4)
    match rng.randint(0, 3):
        case 0:
            return {"gcePersistentDisk": {"pdName": rng.choice("xy"), "readOnly": read_only}}
        case 1:
            return {"awsElasticBlockStore": {"volumeID": rng.choice("xy"), "readOnly": read_only}}
        case 2:
            target = {"targetPortal": "10.0.0.1:3260", "iqn": rng.choice(["iqn.x", "iqn.y"]), "lun": rng.randint(0, 1)}
            return {"iscsi": target | {"readOnly": read_only}}
    pools = {"pool": rng.choice(["rbd", "other"]), "image": rng.choice("xy")}
    return {"rbd": {"monitors": some(rng, ["m1", "m2", "m3"], least=1)} | pools | {"readOnly": read_only}}


def attachment(rng: Random, number: int, nodes: list[str], objects: dict[str, list[Json]]) -> Json:
    volumes = [each["metadata"]["name"] for each in objects["persistentvolumes"]] or ["none"]
    source = {"persistentVolumeName": rng.choice(volumes)} if chance(rng, 0.95) else {}
    spec = {"attacher": rng.choice(DRIVERS), "nodeName": rng.choice(nodes), "source": source}
    return {"metadata": {"name": f"va{number}"}, "spec": spec}
