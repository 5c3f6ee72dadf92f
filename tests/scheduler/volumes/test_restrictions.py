from typing import Any

import pytest

from idcbench.scheduler.volumes import Refused

from .conftest import World

IN_USE = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)
NO_DISK = Refused("VolumeRestrictions", ("node(s) had no available disk",), False)


def test_a_claim_for_one_pod_is_used_by_one(world: World) -> None:
    world.node("n")
    world.node("m")
    world.volume("pv", phase="Bound")
    world.claim("data", bound="pv", accessModes=["ReadWriteOncePod"])
    first, second = world.pod("data", name="p"), world.pod("data", name="q")
    assert world.judge(first) == {"n": (), "m": ()}
    world.index.add_pod(first, "n")
    refused = Refused("VolumeRestrictions", (IN_USE,), False)
    assert world.index.evaluate(second, world.nodes).nodes == [refused, refused]
    assert world.judge(second, without=[first]) == {"n": (), "m": ()}, "preemption could help"
    assert world.judge(second, without=[second]) == {"n": (IN_USE,), "m": (IN_USE,)}
    world.index.remove_pod(first)
    world.index.remove_pod(first)
    assert world.judge(second) == {"n": (), "m": ()}


def test_a_claim_for_one_node_is_shared(world: World) -> None:
    world.node("n")
    world.volume("pv", phase="Bound")
    world.claim("data", bound="pv")
    world.index.add_pod(world.pod("data", name="p"), "n")
    assert world.judge(world.pod("data", name="q")) == {"n": ()}


def rbd(**more: Any) -> dict[str, Any]:
    return {"rbd": {"monitors": ["a", "b"], "pool": "p", "image": "i", **more}}


@pytest.mark.parametrize(
    ("there", "here", "conflict"),
    [
        ({"gcePersistentDisk": {"pdName": "d"}}, {"gcePersistentDisk": {"pdName": "d"}}, True),
        ({"gcePersistentDisk": {"pdName": "d"}}, {"gcePersistentDisk": {"pdName": "e"}}, False),
        (
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            {"gcePersistentDisk": {"pdName": "d", "readOnly": True}},
            False,
        ),
        ({"gcePersistentDisk": {"pdName": "d", "readOnly": True}}, {"gcePersistentDisk": {"pdName": "d"}}, True),
        (
            {"awsElasticBlockStore": {"volumeID": "v", "readOnly": True}},
            {"awsElasticBlockStore": {"volumeID": "v", "readOnly": True}},
            True,
        ),
        ({"awsElasticBlockStore": {"volumeID": "v"}}, {"awsElasticBlockStore": {"volumeID": "w"}}, False),
        ({"iscsi": {"iqn": "q", "lun": 1}}, {"iscsi": {"iqn": "q", "lun": 2}}, True),
        ({"iscsi": {"iqn": "q", "readOnly": True}}, {"iscsi": {"iqn": "q", "readOnly": True}}, False),
        (rbd(), rbd(monitors=["b", "c"]), True),
        (rbd(), rbd(monitors=["c"]), False),
        (rbd(), rbd(pool="other"), False),
        (rbd(), rbd(image="other"), False),
        (rbd(readOnly=True), rbd(readOnly=True), False),
        (rbd(), {"gcePersistentDisk": {"pdName": "d"}}, False),
    ],
)
def test_disks_that_pods_of_a_node_may_not_share(
    world: World, there: dict[str, Any], here: dict[str, Any], conflict: bool
) -> None:
    world.node("n")
    world.node("m")
    other = world.pod(name="q", volumes=[{"name": "v", **there}])
    world.index.add_pod(other, "n")
    mine = world.pod(volumes=[{"name": "v", **here}])
    assert world.index.evaluate(mine, world.nodes).nodes == [NO_DISK if conflict else None, None]
    assert world.judge(mine, without=[other]) == {"n": (), "m": ()}


def test_a_pod_that_moves_is_in_one_place(world: World) -> None:
    world.node("n")
    world.node("m")
    disk = [{"name": "v", "gcePersistentDisk": {"pdName": "d"}}]
    for node in ("n", "m"):
        world.index.add_pod(world.pod(name="q", volumes=disk), node)
    assert world.index.evaluate(world.pod(volumes=disk), world.nodes).nodes == [None, NO_DISK]
    world.index.remove_pod(world.pod(name="q", volumes=disk), "n")
    assert world.index.evaluate(world.pod(volumes=disk), world.nodes).nodes == [None, NO_DISK]
    world.index.remove_pod(world.pod(name="q", volumes=disk), "m")
    assert world.judge(world.pod(volumes=disk)) == {"n": (), "m": ()}
