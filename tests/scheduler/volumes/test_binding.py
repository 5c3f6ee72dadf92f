import pytest

from idcbench.kube.objects import ObjectMeta
from idcbench.scheduler.decisions import ClaimStep
from idcbench.scheduler.objects import PersistentVolume, PersistentVolumeClaim
from idcbench.scheduler.volumes import Refused

from .conftest import BOUND, World, on_labels

CONFLICT = ("node(s) didn't match PersistentVolume's node affinity",)
NO_MATCH = ("node(s) didn't find available persistent volumes to bind",)
NO_SPACE = ("node(s) did not have enough free storage",)
FINE: tuple[str, ...] = ()
UNKNOWN = {"matchExpressions": [{"key": "zone", "operator": "Near"}]}
ANY_ZONE = {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}


def ephemeral(name: str = "scratch") -> list[dict[str, object]]:
    return [{"name": name, "ephemeral": {"volumeClaimTemplate": {}}}]


def owned_by(uid: str, *, controller: bool = True) -> dict[str, object]:
    return {"ownerReferences": [{"kind": "Pod", "name": "p", "uid": uid, "controller": controller}]}


class TestTheClaim:
    def test_is_missing(self, world: World) -> None:
        refused = world.refused(world.pod("data"))
        assert refused == Refused("VolumeRestrictions", ('persistentvolumeclaim "data" not found',), True)

    def test_of_an_ephemeral_volume_is_yet_to_be_made(self, world: World) -> None:
        reason = 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"'
        assert world.refused(world.pod(volumes=ephemeral())) == Refused("VolumeBinding", (reason,), True)

    @pytest.mark.parametrize("meta", [{}, owned_by("another"), owned_by("uid-p", controller=False)])
    def test_of_an_ephemeral_volume_belongs_to_another(self, world: World, meta: dict[str, object]) -> None:
        world.claim("p-scratch", meta=meta)
        reason = "PVC ns/p-scratch was not created for pod ns/p (pod is not owner)"
        assert world.refused(world.pod(volumes=ephemeral())) == Refused("VolumeBinding", (reason,), True)

    def test_of_an_ephemeral_volume_is_the_pods_own(self, world: World) -> None:
        world.node("n")
        world.volume("pv", phase="Bound", nodeAffinity=on_labels(zone="a"))
        world.claim("p-scratch", bound="pv", meta=owned_by("uid-p") | {"annotations": BOUND})
        assert world.judge(world.pod(volumes=ephemeral())) == {"n": CONFLICT}

    def test_is_lost(self, world: World) -> None:
        world.claim("data", bound="gone", phase="Lost")
        reason = 'persistentvolumeclaim "data" bound to non-existent persistentvolume "gone"'
        assert world.refused(world.pod("data")) == Refused("VolumeBinding", (reason,), True)

    def test_is_being_deleted(self, world: World) -> None:
        world.claim("data", meta={"deletionTimestamp": "2026-11-24T00:00:00Z"})
        assert world.refused(world.pod("data")).reasons == ('persistentvolumeclaim "data" is being deleted',)

    @pytest.mark.parametrize("how", ["immediate", "no class", "class unknown", "names its volume", "not completed"])
    def test_should_be_bound_already(self, world: World, how: str) -> None:
        world.storage_class("local")
        world.storage_class("now", mode="Immediate")
        match how:
            case "immediate":
                world.claim("data", storageClassName="now")
            case "no class":
                world.claim("data", storageClassName="")
            case "class unknown":
                world.claim("data", storageClassName="other")
            case "names its volume":
                world.claim("data", volumeName="pv")
            case "not completed":
                world.volume("pv")
                world.claim("data", bound="pv", meta={"annotations": {}})
        refused = world.refused(world.pod("data"))
        assert refused == Refused("VolumeBinding", ("pod has unbound immediate PersistentVolumeClaims",), True)

    def test_has_a_class_without_a_mode(self, world: World) -> None:
        world.storage_class("local", mode=None)
        world.claim("data")
        assert world.refused(world.pod("data")).reasons == ('VolumeBindingMode not set for StorageClass "local"',)

    def test_names_its_class_by_the_old_annotation(self, world: World) -> None:
        world.storage_class("local")
        world.claim("data", storageClassName="now", meta={"annotations": {
            "volume.beta.kubernetes.io/storage-class": "local"
        }})  # fmt: skip
        world.node("n")
        assert world.judge(world.pod("data")) == {"n": NO_MATCH}

    @pytest.mark.parametrize(
        ("spec", "words"),
        [
            ({"size": "1e3k"}, "storage request '1e3k' is no quantity"),
            ({"selector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}}, "'Near'"),
        ],
    )
    def test_cannot_be_read(self, world: World, spec: dict[str, object], words: str) -> None:
        world.storage_class("local")
        world.claim("data", **spec)  # type: ignore[arg-type]
        (reason,) = world.refused(world.pod("data")).reasons
        assert reason.startswith("persistentvolumeclaim ns/data")
        assert words in reason


def test_pods_without_such_volumes_are_no_concern(world: World) -> None:
    assert not world.index.concerns(world.pod(volumes=[{"name": "v", "configMap": {"name": "c"}}]))
    assert not world.index.concerns(world.pod(volumes=[{"name": "v", "csi": {"driver": "d"}}]))
    assert world.index.concerns(world.pod("data"))
    assert world.index.concerns(world.pod(volumes=ephemeral()))
    assert world.index.concerns(world.pod(volumes=[{"name": "v", "rbd": {}}]))


class TestABoundClaim:
    def test_has_to_be_reachable(self, world: World) -> None:
        world.node("a", zone="a")
        world.node("b", zone="b")
        world.node("c")
        world.volume("pv", phase="Bound", nodeAffinity=on_labels(zone="a,x"))
        world.claim("data", bound="pv")
        verdict = world.index.evaluate(world.pod("data"), world.nodes)
        assert verdict.nodes == [None, *[Refused("VolumeBinding", CONFLICT, True)] * 2]
        assert verdict.scores is None

    @pytest.mark.parametrize(
        ("affinity", "reasons"),
        [
            (None, FINE),
            ({}, FINE),
            ({"required": {"nodeSelectorTerms": []}}, CONFLICT),
            ({"required": {"nodeSelectorTerms": [UNKNOWN]}}, CONFLICT),
            ({"required": {"nodeSelectorTerms": [UNKNOWN, ANY_ZONE]}}, FINE),
        ],
    )
    def test_affinities(self, world: World, affinity: dict[str, object] | None, reasons: tuple[str, ...]) -> None:
        world.node("n", zone="a")
        world.volume("pv", phase="Bound", nodeAffinity=affinity)
        world.claim("data", bound="pv")
        assert world.judge(world.pod("data")) == {"n": reasons}

    def test_of_an_ephemeral_volume_whose_volume_is_gone(self, world: World) -> None:
        world.node("n")
        world.claim("p-scratch", bound="gone", meta=owned_by("uid-p") | {"annotations": BOUND})
        reason = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
        assert world.judge(world.pod(volumes=ephemeral())) == {"n": (reason,)}

    def test_beside_one_that_finds_nothing_gives_both_reasons(self, world: World) -> None:
        world.node("n")
        world.storage_class("local")
        world.volume("pv", phase="Bound", nodeAffinity=on_labels(zone="a"))
        world.claim("data", bound="pv")
        world.claim("more")
        assert world.judge(world.pod("data", "more")) == {"n": CONFLICT + NO_MATCH}


class TestAVolumeThatIsThere:
    @pytest.fixture(autouse=True)
    def _cluster(self, world: World) -> None:
        world.storage_class("local")
        world.node("n", host="n")

    def steps(self, world: World, *claims: str, name: str = "p") -> dict[str, str | None]:
        steps = world.index.reserve(world.pod(*claims, name=name), world.nodes[0])
        return {step.claim: step.volume for step in steps}

    def test_the_smallest_that_fits(self, world: World) -> None:
        for name, size in (("a-large", "10Gi"), ("b-fits", "2Gi"), ("c-small", "1Gi")):
            world.volume(name, size)
        world.claim("data", "1500Mi")
        assert self.steps(world, "data") == {"data": "b-fits"}

    def test_small_claims_choose_first(self, world: World) -> None:
        world.volume("three", "3Gi")
        world.volume("two", "2Gi")
        world.claim("a", "2Gi")
        world.claim("b", "1Gi")
        assert self.steps(world, "a", "b") == {"b": "two", "a": "three"}

    def test_the_smallest_of_those_that_are_reached_by_different_labels(self, world: World) -> None:
        world.nodes.clear()
        world.node("n", host="n", zone="a")
        world.volume("large", "9Gi", nodeAffinity=on_labels(zone="a"))
        world.volume("small", "2Gi", nodeAffinity=on_labels(host="n"))
        world.volume("middle", "5Gi")
        for name in ("small", "middle", "large"):
            world.claim(name)
            assert self.steps(world, name, name=name) == {name: name}

    def test_the_same_pod_is_judged_anew_when_something_changed(self, world: World) -> None:
        world.claim("data")
        world.claim("other")
        pod = world.pod("data")
        assert world.judge(pod) == {"n": NO_MATCH}
        world.volume("pv")
        assert world.judge(pod) == {"n": FINE}
        other = world.pod("other", name="q")
        world.index.reserve(other, world.nodes[0])
        assert world.judge(pod) == {"n": NO_MATCH}
        world.index.unreserve(other)
        assert world.judge(pod) == {"n": FINE}
        world.index.remove("persistentvolumes", PersistentVolume(metadata=ObjectMeta(name="pv")))
        assert world.judge(pod) == {"n": NO_MATCH}

    def test_two_claims_need_two_volumes(self, world: World) -> None:
        world.volume("one")
        world.claim("a")
        world.claim("b")
        assert world.judge(world.pod("a", "b")) == {"n": NO_MATCH}

    @pytest.mark.parametrize(
        ("volume", "claim", "fits"),
        [
            ({}, {}, True),
            ({"size": "1023Mi"}, {}, False),
            ({"size": "x"}, {}, False),
            ({"accessModes": ["ReadWriteOnce", "ReadWriteMany"]}, {"accessModes": ["ReadWriteMany"]}, True),
            ({}, {"accessModes": ["ReadWriteOnce", "ReadWriteMany"]}, False),
            ({"storageClassName": "other"}, {}, False),
            ({"volumeMode": "Block"}, {}, False),
            ({"volumeMode": "Filesystem"}, {}, True),
            ({"volumeMode": "Block"}, {"volumeMode": "Block"}, True),
            ({"volumeAttributesClassName": "gold"}, {}, False),
            ({}, {"volumeAttributesClassName": "gold"}, False),
            ({"volumeAttributesClassName": ""}, {}, True),
            ({"volumeAttributesClassName": "gold"}, {"volumeAttributesClassName": "gold"}, True),
            ({"phase": "Released"}, {}, False),
            ({"phase": "Pending"}, {}, False),
            ({"meta": {"deletionTimestamp": "2026-11-24T00:00:00Z"}}, {}, False),
            ({"meta": {"labels": {"disk": "ssd"}}}, {"selector": {"matchLabels": {"disk": "ssd"}}}, True),
            ({"meta": {"labels": {"disk": "hdd"}}}, {"selector": {"matchLabels": {"disk": "ssd"}}}, False),
            ({"nodeAffinity": on_labels(host="n")}, {}, True),
            ({"nodeAffinity": on_labels(host="m")}, {}, False),
            ({"nodeAffinity": on_labels(host="n", rack="r")}, {}, False),
            ({"claimRef": {"namespace": "ns", "name": "other"}}, {}, False),
            ({"claimRef": {"namespace": "ns", "name": "data"}}, {}, True),
            ({"claimRef": {"namespace": "ns", "name": "data", "uid": "data"}}, {}, True),
            ({"claimRef": {"namespace": "ns", "name": "data", "uid": "an earlier one"}}, {}, False),
            ({"claimRef": {"namespace": "ns", "name": "data"}, "phase": "Bound", "accessModes": []}, {}, True),
            ({"claimRef": {"namespace": "ns", "name": "data"}, "size": "1Mi"}, {}, False),
        ],
    )
    def test_what_suits(self, world: World, volume: dict[str, object], claim: dict[str, object], fits: bool) -> None:
        world.volume("pv", **volume)  # type: ignore[arg-type]
        world.claim("data", **claim)  # type: ignore[arg-type]
        assert world.judge(world.pod("data")) == {"n": FINE if fits else NO_MATCH}

    def test_its_own_volume_binds_the_claim_to_its_place(self, world: World) -> None:
        mine = {"namespace": "ns", "name": "data"}
        world.volume("a-free")
        world.volume("mine", "5Gi", claimRef=mine, nodeAffinity=on_labels(host="m"))
        world.claim("data")
        world.node("m", host="m")
        assert world.judge(world.pod("data")) == {"n": NO_MATCH, "m": FINE}

    def test_a_reserved_volume_is_not_given_twice(self, world: World) -> None:
        world.volume("pv")
        world.claim("a")
        world.claim("b")
        assert self.steps(world, "a") == {"a": "pv"}
        assert world.judge(world.pod("b", name="q")) == {"n": NO_MATCH}
        assert world.judge(world.pod("a", name="q")) == {"n": FINE}, "the same claim shares it"
        with pytest.raises(ValueError, match="pod ns/q has no volumes on node n"):
            self.steps(world, "b", name="q")
        world.index.unreserve(world.pod("a"))
        assert self.steps(world, "b", name="q") == {"b": "pv"}

    def test_a_reservation_is_shared_by_the_pods_of_a_claim(self, world: World) -> None:
        world.volume("pv")
        world.claim("a")
        world.claim("b")
        for name in ("p", "q"):
            assert self.steps(world, "a", name=name) == {"a": "pv"}
        world.index.unreserve(world.pod("a", name="p"))
        assert world.judge(world.pod("b", name="r")) == {"n": NO_MATCH}
        world.index.remove_pod(world.pod("a", name="q"))
        assert world.judge(world.pod("b", name="r")) == {"n": FINE}

    def test_a_reservation_ends_when_the_claim_is_bound_or_gone(self, world: World) -> None:
        world.volume("pv")
        world.claim("b")
        for end in ("bound", "gone"):
            world.claim("a")
            assert self.steps(world, "a") == {"a": "pv"}
            claim = world.claim("a", bound="pv")
            if end == "gone":
                world.index.remove("persistentvolumeclaims", claim)
            assert world.judge(world.pod("b", name="q")) == {"n": FINE}

    def test_reserving_what_is_bound_takes_no_step(self, world: World) -> None:
        world.volume("pv", phase="Bound")
        world.claim("data", bound="pv")
        assert world.index.reserve(world.pod("data"), world.nodes[0]) == ()

    def test_it_goes_when_it_is_removed(self, world: World) -> None:
        pv = world.tell("persistentvolumes", "pv", spec={"capacity": {"storage": "1Gi"}, "storageClassName": "local"})
        world.index.remove("persistentvolumes", pv)
        world.index.remove("persistentvolumes", pv)
        world.claim("data")
        assert world.judge(world.pod("data")) == {"n": NO_MATCH}

    def test_one_claim_under_two_names_needs_one_volume(self, world: World) -> None:
        world.volume("pv")
        world.claim("data")
        assert self.steps(world, "data", "data") == {"data": "pv"}


class TestAVolumeToBeMade:
    @pytest.fixture(autouse=True)
    def _cluster(self, world: World) -> None:
        world.storage_class("csi", provisioner="d")
        world.node("n", zone="a")
        world.node("m", zone="b")

    def test_anywhere(self, world: World) -> None:
        world.claim("data", storageClassName="csi")
        pod = world.pod("data")
        assert world.judge(pod) == {"n": FINE, "m": FINE}
        assert world.index.reserve(pod, world.nodes[0]) == (ClaimStep("ns", "data"),)
        assert world.judge(pod) == {"n": FINE, "m": NO_MATCH}
        assert world.judge(world.pod("data", name="q")) == {"n": FINE, "m": NO_MATCH}, "it will be on n"
        world.index.unreserve(world.pod("data"))
        assert world.judge(world.pod("data", name="q")) == {"n": FINE, "m": FINE}

    def test_where_the_claim_says(self, world: World) -> None:
        claim = world.claim("data", storageClassName="csi", meta={"annotations": {
            "volume.kubernetes.io/selected-node": "m"
        }})  # fmt: skip
        assert isinstance(claim, PersistentVolumeClaim)
        assert world.judge(world.pod("data")) == {"n": NO_MATCH, "m": FINE}

    @pytest.mark.parametrize(
        ("topologies", "n"),
        [
            ([{"matchLabelExpressions": [{"key": "zone", "values": ["a", "x"]}]}], FINE),
            ([{"matchLabelExpressions": [{"key": "zone", "values": ["x"]}]}], NO_MATCH),
            ([{"matchLabelExpressions": [{"key": "rack", "values": ["a"]}]}], NO_MATCH),
            ([{}], NO_MATCH),
            ([], FINE),
            ([{"matchLabelExpressions": [{"key": "zone", "values": [z]}]} for z in "xa"], FINE),
        ],
    )
    def test_only_in_allowed_topologies(self, world: World, topologies: list[object], n: tuple[str, ...]) -> None:
        world.storage_class("csi", provisioner="d", allowedTopologies=topologies)
        world.claim("data", storageClassName="csi")
        assert world.judge(world.pod("data"))["n"] == n

    def capacity(self, world: World, name: str, **body: object) -> None:
        topology = body.pop("nodeTopology", {"matchLabels": {"zone": "a"}})
        meta = {"namespace": "kube-system"}
        world.tell("csistoragecapacities", name, meta=meta, storageClassName="csi", nodeTopology=topology, **body)

    @pytest.mark.parametrize(
        ("capacity", "reasons"),
        [
            ({"capacity": "1Gi"}, FINE),
            ({"capacity": "1023Mi"}, NO_SPACE),
            ({"capacity": "9Gi", "maximumVolumeSize": "1Mi"}, NO_SPACE),
            ({"capacity": "1Mi", "maximumVolumeSize": "1Gi"}, FINE),
            ({}, NO_SPACE),
            ({"capacity": "1Gi", "nodeTopology": None}, NO_SPACE),
            ({"capacity": "1Gi", "nodeTopology": {}}, FINE),
            ({"capacity": "1Gi", "nodeTopology": {"matchLabels": {"zone": "b"}}}, NO_SPACE),
            (
                {"capacity": "1Gi", "nodeTopology": {"matchExpressions": [{"key": "zone", "operator": "Near"}]}},
                NO_SPACE,
            ),
        ],
    )
    def test_where_the_driver_has_room(
        self, world: World, capacity: dict[str, object], reasons: tuple[str, ...]
    ) -> None:
        world.tell("csidrivers", "d", spec={"storageCapacity": True})
        world.claim("data", storageClassName="csi")
        self.capacity(world, "c", **capacity)
        assert world.judge(world.pod("data"))["n"] == reasons

    @pytest.mark.parametrize("tells", [None, False])
    def test_a_driver_that_does_not_tell_has_room(self, world: World, tells: bool | None) -> None:
        world.tell("csidrivers", "d", spec={"storageCapacity": tells})
        world.claim("data", storageClassName="csi")
        assert world.judge(world.pod("data")) == {"n": FINE, "m": FINE}

    def test_room_comes_and_goes(self, world: World) -> None:
        world.tell("csidrivers", "d", spec={"storageCapacity": True})
        world.claim("data", storageClassName="csi")
        for size, reasons in (("1Gi", FINE), ("0", NO_SPACE), ("2Gi", FINE)):
            self.capacity(world, "c", capacity=size)
            assert world.judge(world.pod("data")) == {"n": reasons, "m": NO_SPACE}

    def test_beside_one_that_is_there(self, world: World) -> None:
        world.volume("pv", storageClassName="csi", nodeAffinity=on_labels(zone="a"))
        world.claim("a", storageClassName="csi")
        world.claim("b", "2Gi", storageClassName="csi")
        steps = world.index.reserve(world.pod("a", "b"), world.nodes[0])
        assert steps == (ClaimStep("ns", "a", "pv"), ClaimStep("ns", "b"))


class TestScore:
    def test_the_fuller_the_worse(self, world: World) -> None:
        world.storage_class("local")
        for name, size in (("n", "4Gi"), ("m", "2Gi"), ("k", "3Gi")):
            world.node(name, host=name)
            world.volume(name, size, nodeAffinity=on_labels(host=name))
        world.node("none")
        world.claim("data")
        assert world.index.evaluate(world.pod("data"), world.nodes).scores == [75, 50, 67, 0]

    def test_of_what_the_driver_has_left(self, world: World) -> None:
        world.storage_class("csi", provisioner="d")
        world.tell("csidrivers", "d", spec={"storageCapacity": True})
        world.tell("csistoragecapacities", "c", storageClassName="csi", capacity="10Gi", nodeTopology={})
        world.node("n")
        for name in ("a", "b"):
            world.claim(name, "2Gi", storageClassName="csi")
        assert world.index.evaluate(world.pod("a", "b"), world.nodes).scores == [60]
