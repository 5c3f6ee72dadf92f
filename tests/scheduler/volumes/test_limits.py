from typing import Any

import msgspec
import pytest

from idcbench.scheduler.objects import PersistentVolume
from idcbench.scheduler.volumes import Refused, migration

from .conftest import World

EXCEEDED = Refused("NodeVolumeLimits", ("node(s) exceed max volume count",), False)


def attached(world: World, *names: str, driver: str = "d") -> None:
    """Bound claims, each with a volume of the driver under its own name."""
    for name in names:
        csi = {"driver": driver, "volumeHandle": f"handle-{name}"}
        world.volume(f"pv-{name}", phase="Bound", csi=csi, claimRef={"namespace": "ns", "name": name})
        world.claim(name, bound=f"pv-{name}")


def verdict(world: World, *claims: str, **options: Any) -> Refused | None:
    found = world.index.evaluate(world.pod(*claims, name="new", **options), world.nodes)
    assert found.refused is None
    return found.nodes[0]


@pytest.fixture(autouse=True)
def _node(world: World) -> None:
    world.node("n")


def test_a_node_is_full(world: World) -> None:
    world.csi_node("n", d=2)
    attached(world, "a", "b", "c")
    world.index.add_pod(world.pod("a", name="p"), "n")
    assert verdict(world, "b") is None
    assert verdict(world, "b", "c") == EXCEEDED
    world.index.add_pod(world.pod("b", name="q"), "n")
    assert verdict(world, "c") == EXCEEDED
    assert verdict(world, "a", "b") is None, "what is there needs no more room"
    world.index.remove_pod(world.pod("a", name="p"))
    assert verdict(world, "c") is None


def test_pods_that_are_thought_away_make_room(world: World) -> None:
    world.csi_node("n", d=1)
    attached(world, "a", "b")
    placed = world.pod("a", name="p")
    world.index.add_pod(placed, "n")
    pod = world.pod("b", name="new")
    assert world.index.evaluate(pod, world.nodes).nodes == [EXCEEDED]
    assert world.index.evaluate(pod, world.nodes, without=[placed]).nodes == [None]
    assert world.index.evaluate(pod, world.nodes).nodes == [EXCEEDED]


def test_a_volume_of_several_pods_counts_once(world: World) -> None:
    world.csi_node("n", d=2)
    attached(world, "a", "b")
    for name in "pqr":
        world.index.add_pod(world.pod("a", name=name), "n")
    assert verdict(world, "b") is None


@pytest.mark.parametrize("limits", [None, {}, {"d": None}, {"other": 0}])
def test_no_limit_is_known(world: World, limits: dict[str, int | None] | None) -> None:
    if limits is not None:
        world.csi_node("n", **limits)
    attached(world, "a", "b")
    assert verdict(world, "a", "b") is None


def test_a_limit_of_none_at_all(world: World) -> None:
    world.csi_node("n", d=0)
    attached(world, "a")
    assert verdict(world, "a") == EXCEEDED
    world.csi_node("n", d=1)
    assert verdict(world, "a") is None


def test_drivers_are_counted_apart(world: World) -> None:
    world.csi_node("n", d=1, e=1)
    attached(world, "a")
    attached(world, "b", driver="e")
    world.index.add_pod(world.pod("a", name="p"), "n")
    assert verdict(world, "b") is None


def test_a_volume_yet_to_come_counts_by_its_class(world: World) -> None:
    world.csi_node("n", d=1)
    world.storage_class("csi", provisioner="d")
    for name in ("a", "b"):
        world.claim(name, storageClassName="csi")
    assert verdict(world, "a") is None
    assert verdict(world, "a", "b") == EXCEEDED
    world.index.add_pod(world.pod("a", name="p"), "n")
    assert verdict(world, "b") == EXCEEDED
    assert verdict(world, "a") is None
    attached(world, "a")
    assert verdict(world, "a") is None
    assert verdict(world, "b") == EXCEEDED


def test_an_ephemeral_volume_counts(world: World) -> None:
    world.csi_node("n", d=0)
    world.storage_class("csi", provisioner="d")
    owner = {"kind": "Pod", "name": "new", "uid": "uid-new", "controller": True}
    world.claim("new-scratch", storageClassName="csi", meta={"ownerReferences": [owner]})
    volumes = [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}}]
    assert verdict(world, volumes=volumes) == EXCEEDED


def test_attachments_count_until_they_are_gone(world: World) -> None:
    world.csi_node("n", d=1)
    attached(world, "a", "b")
    source = {"persistentVolumeName": "pv-a"}
    spec = {"attacher": "d", "nodeName": "n", "source": source}
    attachment = world.tell("volumeattachments", "va", spec=spec)
    assert verdict(world, "b") == EXCEEDED
    world.index.add_pod(world.pod("a", name="p"), "n")
    assert verdict(world, "b") == EXCEEDED
    assert verdict(world, "a") is None
    world.index.remove_pod(world.pod("a", name="p"))
    world.index.remove("volumeattachments", attachment)
    assert verdict(world, "b") is None


@pytest.mark.parametrize(
    "spec",
    [
        {"attacher": "d", "nodeName": "m", "source": {"persistentVolumeName": "pv-a"}},
        {"attacher": "", "nodeName": "n", "source": {"persistentVolumeName": "pv-a"}},
        {"attacher": "d", "nodeName": "n", "source": {}},
        {"attacher": "d", "nodeName": "n", "source": {"persistentVolumeName": "unknown"}},
    ],
)
def test_attachments_that_do_not_count(world: World, spec: dict[str, Any]) -> None:
    world.csi_node("n", d=1)
    attached(world, "a", "b")
    world.tell("volumeattachments", "va", spec=spec)
    assert verdict(world, "b") is None


def test_a_volume_that_comes_late_makes_its_attachment_count(world: World) -> None:
    world.csi_node("n", d=1)
    attached(world, "b")
    source = {"persistentVolumeName": "pv-a"}
    world.tell("volumeattachments", "va", spec={"attacher": "d", "nodeName": "n", "source": source})
    assert verdict(world, "b") is None
    attached(world, "a")
    assert verdict(world, "b") == EXCEEDED


def test_a_claim_of_a_placed_pod_that_comes_late_counts(world: World) -> None:
    world.csi_node("n", d=1)
    attached(world, "b")
    world.index.add_pod(world.pod("a", name="p"), "n")
    assert verdict(world, "b") is None
    attached(world, "a")
    assert verdict(world, "b") == EXCEEDED


def test_a_driver_may_insist_on_being_there(world: World) -> None:
    attached(world, "a")
    assert verdict(world, "a") is None
    world.tell("csidrivers", "d", spec={"preventPodSchedulingIfMissing": True})
    refused = Refused("NodeVolumeLimits", ("d CSI driver is not installed on the node",), False)
    assert verdict(world, "a") == refused
    world.csi_node("n", other=1)
    assert verdict(world, "a") == refused
    world.csi_node("n", d=None)
    assert verdict(world, "a") is None


@pytest.mark.parametrize(
    ("disk", "driver"),
    [
        ({"awsElasticBlockStore": {"volumeID": "aws://zone/vol-1"}}, "ebs.csi.aws.com"),
        ({"gcePersistentDisk": {"pdName": "disk"}}, "pd.csi.storage.gke.io"),
        ({"azureDisk": {"diskName": "disk", "diskURI": "/disks/disk"}}, "disk.csi.azure.com"),
        ({"cinder": {"volumeID": "disk"}}, "cinder.csi.openstack.org"),
        ({"portworxVolume": {"volumeID": "disk"}}, "pxd.portworx.com"),
    ],
)
def test_in_tree_disks_count_for_the_driver_that_serves_them(world: World, disk: dict[str, Any], driver: str) -> None:
    volumes = [{"name": "v", **disk}]
    assert verdict(world, volumes=volumes) is None
    world.csi_node("n", **{driver: 0})
    assert verdict(world, volumes=volumes) == EXCEEDED


@pytest.mark.parametrize(
    ("provisioner", "counted"),
    [("kubernetes.io/aws-ebs", True), ("kubernetes.io/azure-file", False), ("ebs.csi.aws.com", True)],
)
def test_classes_of_in_tree_provisioners(world: World, provisioner: str, counted: bool) -> None:
    world.csi_node("n", **{"ebs.csi.aws.com": 0, "kubernetes.io/azure-file": 0})
    world.storage_class("old", provisioner=provisioner)
    world.claim("a", storageClassName="old")
    assert verdict(world, "a") == (EXCEEDED if counted else None)


@pytest.mark.parametrize(
    ("source", "driver"),
    [
        ({"awsElasticBlockStore": {"volumeID": "aws:///vol-1"}}, "ebs.csi.aws.com"),
        ({"gcePersistentDisk": {"pdName": "disk"}}, "pd.csi.storage.gke.io"),
        ({"azureDisk": {"diskName": "disk", "diskURI": "/disks/disk"}}, "disk.csi.azure.com"),
        ({"cinder": {"volumeID": "disk"}}, "cinder.csi.openstack.org"),
        ({"portworxVolume": {"volumeID": "disk"}}, "pxd.portworx.com"),
    ],
)
def test_in_tree_volumes_count_for_the_driver_that_serves_them(
    world: World, source: dict[str, Any], driver: str
) -> None:
    world.volume("pv", phase="Bound", **source)
    world.claim("a", bound="pv")
    assert verdict(world, "a") is None, "without a CSINode object nothing is switched over"
    world.csi_node("n", **{driver: 0})
    assert verdict(world, "a") == EXCEEDED


def test_a_disk_that_a_pod_names_is_the_same_as_the_volume_of_it(world: World) -> None:
    world.csi_node("n", **{"ebs.csi.aws.com": 1})
    world.volume("pv", phase="Bound", awsElasticBlockStore={"volumeID": "aws://zone/vol-1"})
    world.claim("a", bound="pv")
    same, other = ({"name": "v", "awsElasticBlockStore": {"volumeID": each}} for each in ("vol-1", "vol-2"))
    world.index.add_pod(world.pod("a", name="p"), "n")
    assert verdict(world, volumes=[same]) is None
    assert verdict(world, volumes=[other]) == EXCEEDED


@pytest.mark.parametrize(
    ("zones", "place"),
    [
        ("", "zones/UNSPECIFIED"),
        ("us-east1-a", "zones/us-east1-a"),
        ("us-east1-a__us-east1-b", "regions/us-east1"),
        ("us-east1-a__us-west1-b", None),
        ("a__b", None),
    ],
)
def test_a_gce_disk_is_named_with_its_zone_or_region(zones: str, place: str | None) -> None:
    body = {"metadata": {"name": "pv", "labels": {"topology.kubernetes.io/zone": zones}}}
    volume = msgspec.convert({**body, "spec": {"gcePersistentDisk": {"pdName": "disk"}}}, PersistentVolume)
    expected = ("pd.csi.storage.gke.io", f"projects/UNSPECIFIED/{place}/disks/disk") if place else ("", "")
    assert migration.persistent(volume, migrated=True) == expected
    assert migration.persistent(volume, migrated=False) == ("", "")


@pytest.mark.parametrize("identity", ["aws://zone/disk-1", "aws://zone/vol-1/more", "aws://zone"])
def test_an_ebs_volume_without_an_identity_does_not_count(identity: str) -> None:
    spec = {"awsElasticBlockStore": {"volumeID": identity}}
    volume = msgspec.convert({"metadata": {"name": "pv"}, "spec": spec}, PersistentVolume)
    assert migration.persistent(volume, migrated=True) == ("", "")


def test_a_volume_without_a_driver_does_not_count(world: World) -> None:
    world.csi_node("n", d=0)
    pv = world.tell("persistentvolumes", "pv", spec={"capacity": {"storage": "1Gi"}})
    assert isinstance(pv, PersistentVolume)
    world.claim("a", bound="pv")
    assert verdict(world, "a") is None
