import pytest

from idcbench.scheduler.volumes import Refused

from .conftest import World

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
OLD_ZONE, OLD_REGION = "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"
CONFLICT = Refused("VolumeZone", ("node(s) had no available volume zone",), True)


@pytest.mark.parametrize(
    ("volume", "node", "fits"),
    [
        ({ZONE: "a"}, {ZONE: "a"}, True),
        ({ZONE: "a"}, {ZONE: "b"}, False),
        ({ZONE: "a"}, {}, True),
        ({ZONE: "a"}, {"kubernetes.io/hostname": "n"}, True),
        ({ZONE: "a"}, {REGION: "r"}, False),
        ({ZONE: "a__b"}, {ZONE: "b"}, True),
        ({ZONE: "a__ b"}, {ZONE: "b"}, True),
        ({ZONE: "a__b"}, {ZONE: "c"}, False),
        ({ZONE: "a__"}, {ZONE: "c"}, True),
        ({ZONE: ""}, {ZONE: "c"}, True),
        ({OLD_ZONE: "a"}, {ZONE: "a"}, True),
        ({OLD_ZONE: "a"}, {ZONE: "b"}, False),
        ({OLD_ZONE: "a"}, {OLD_ZONE: "a", ZONE: "b"}, True),
        ({OLD_REGION: "r"}, {REGION: "s"}, False),
        ({ZONE: "a"}, {OLD_ZONE: "a"}, False),
        ({ZONE: "a", REGION: "r"}, {ZONE: "a", REGION: "s"}, False),
        ({}, {ZONE: "a"}, True),
    ],
)
def test_where_a_bound_volume_is(world: World, volume: dict[str, str], node: dict[str, str], fits: bool) -> None:
    world.node("n", **node)
    world.volume("pv", phase="Bound", meta={"labels": volume})
    world.claim("data", bound="pv")
    assert world.index.evaluate(world.pod("data"), world.nodes).nodes == [None if fits else CONFLICT]


def test_a_volume_that_is_gone(world: World) -> None:
    world.claim("data", bound="pv")
    assert world.refused(world.pod("data")) == Refused("VolumeZone", ('persistentvolume "pv" not found',), True)


def test_the_affinity_is_asked_first(world: World) -> None:
    world.node("n", **{ZONE: "b"})
    lines = [{"key": ZONE, "operator": "In", "values": ["a"]}]
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": lines}]}}
    world.volume("pv", phase="Bound", meta={"labels": {ZONE: "a"}}, nodeAffinity=affinity)
    world.claim("data", bound="pv")
    assert world.judge(world.pod("data")) == {"n": ("node(s) didn't match PersistentVolume's node affinity",)}
