"""What a watch tells, whatever the servers say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from idcbench.kube.known import Known
from idcbench.kube.listing import Listing
from idcbench.kube.objects import ObjectMeta, Partial


def thing(name: str, version: int, uid: str = "u") -> Partial:
    return Partial(metadata=ObjectMeta(name=name, resource_version=str(version), uid=uid))


def listing(version: int, *things: Partial) -> Listing[Partial]:
    return Listing(items=things, resource_version=str(version), received_ns=0)


def told(changes: object) -> list[tuple[str, str, str]]:
    return [(type, obj.metadata.name, obj.metadata.resource_version) for type, obj in changes]  # type: ignore[attr-defined]


def test_a_relist_tells_the_difference() -> None:
    known: Known[Partial] = Known()
    first = listing(9, thing("kept", 1), thing("changed", 2), thing("gone", 3), thing("anew", 4))
    assert [change for change, _, _ in told(known.relist(first))] == ["ADDED"] * 4
    known.expire()
    second = listing(20, thing("kept", 1), thing("changed", 12), thing("anew", 14, uid="other"), thing("new", 15))
    assert told(known.relist(second)) == [
        ("DELETED", "gone", "3"),
        ("MODIFIED", "changed", "12"),
        ("DELETED", "anew", "4"),
        ("ADDED", "anew", "14"),
        ("ADDED", "new", "15"),
    ]
    assert known.version == "20"
    assert len(known) == 4


def test_a_repeat_is_told_once_and_a_bookmark_moves_on() -> None:
    known: Known[Partial] = Known()
    list(known.relist(listing(5)))
    assert told(known.apply("ADDED", thing("a", 6))) == [("ADDED", "a", "6")]
    assert told(known.apply("ADDED", thing("a", 6))) == []
    known.bookmark("9")
    known.bookmark("8")
    assert known.version == "9"
    assert told(known.apply("MODIFIED", thing("a", 8))) == []
    assert told(known.apply("DELETED", thing("b", 10))) == []
    assert told(known.apply("MODIFIED", thing("a", 11))) == [("MODIFIED", "a", "11")]


def test_versions_that_are_no_numbers_are_compared_as_they_are() -> None:
    known: Known[Partial] = Known()
    list(known.relist(Listing(items=(), resource_version="x", received_ns=0)))
    odd = Partial(metadata=ObjectMeta(name="a", resource_version="v-2", uid="u"))
    assert [change for change, _ in known.apply("ADDED", odd)] == ["ADDED"]
    assert list(known.apply("MODIFIED", odd)) == []


names = st.sampled_from("abc")
happenings = st.lists(st.tuples(st.sampled_from(["put", "remove", "repeat", "expire"]), names), max_size=40)


@given(happenings)
def test_what_was_told_adds_up_to_what_is_there(happenings: list[tuple[str, str]]) -> None:
    """Replayed on an empty world, the changes give the server's state; each one makes sense there."""
    server: dict[str, Partial] = {}
    log: list[tuple[str, Partial]] = []
    version = 1
    heard = True
    known: Known[Partial] = Known()
    changes = list(known.relist(listing(version)))
    for what, name in happenings:
        version += 1
        match what:
            case "put":
                uid = server[name].metadata.uid if name in server else f"uid-{version}"
                log.append(("MODIFIED" if name in server else "ADDED", thing(name, version, uid)))
                server[name] = log[-1][1]
            case "remove" if name in server:
                log.append(("DELETED", thing(name, version, server.pop(name).metadata.uid)))
            case "repeat":
                for entry in log[-3:] if heard else ():
                    changes += known.apply(*entry)
                continue
            case "expire":
                heard = not heard
                if heard:
                    changes += known.relist(listing(version, *server.values()))
                continue
            case _:
                continue
        if heard:
            changes += known.apply(*log[-1])
    if not heard:
        changes += known.relist(listing(version, *server.values()))
    world: dict[str, Partial] = {}
    for change, obj in changes:
        name = obj.metadata.name
        assert (name in world) == (change != "ADDED")
        if change == "DELETED":
            del world[name]
        else:
            world[name] = obj
    assert world == server
