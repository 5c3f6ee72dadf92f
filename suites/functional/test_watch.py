"""Watches: every change, in order, once, and from where one left off."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from idcbench.kube.crud import Client, Manifest, Manifests
from idcbench.plugin.live import LiveCluster

from .conftest import Scratch
from .etcd import forget_the_first
from .manifests import config_map, named
from .states import name_of

pytestmark = pytest.mark.idc(proves="api")
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
Told = list[tuple[str, str, str]]


def put(client: Client, namespace: str, name: str, value: str) -> Manifest:
    return client.apply(config_map(name, data={"k": value}), namespace)


def follow(client: Client, namespace: str, since: str, enough: Callable[[Manifests], bool], **query: str) -> Manifests:
    """The events of the ConfigMaps from a version on, until there are enough."""
    events: Manifests = []
    asked = {"resourceVersion": since, "timeoutSeconds": "30"} | query
    for event in client.events(client.path("ConfigMap", namespace=namespace), query=asked):
        events.append(event)
        if enough(events):
            break
    return events


def told(events: Manifests) -> Told:
    """Type, name and value of each event."""
    return [(each["type"], name_of(each["object"]), each["object"]["data"]["k"]) for each in events]


def count(number: int) -> Callable[[Manifests], bool]:
    return lambda events: len(events) == number


def mine(**query: str) -> dict[str, str]:
    """Selects the ConfigMaps of the checks, not the one that every namespace gets."""
    return {"fieldSelector": "metadata.name!=kube-root-ca.crt"} | query


def test_watch_tells_every_change_in_order(idc_client: Client, namespace: str) -> None:
    """A watch tells of each creation, change and deletion, in the order in which they happened."""
    since = put(idc_client, namespace, "a", "0")["metadata"]["resourceVersion"]
    put(idc_client, namespace, "b", "1")
    put(idc_client, namespace, "a", "2")
    put(idc_client, namespace, "b", "3")
    idc_client.delete("ConfigMap", "a", namespace)
    events = follow(idc_client, namespace, since, count(4), **mine())
    assert told(events) == [("ADDED", "b", "1"), ("MODIFIED", "a", "2"), ("MODIFIED", "b", "3"), ("DELETED", "a", "2")]


def test_watch_resumes_where_it_ended(idc_client: Client, namespace: str) -> None:
    """A watch that goes on from the last version it saw misses nothing and repeats nothing."""
    since = put(idc_client, namespace, "a", "0")["metadata"]["resourceVersion"]
    for value in range(1, 7):
        put(idc_client, namespace, "a", str(value))
    first = follow(idc_client, namespace, since, count(3), **mine())
    last_seen = first[-1]["object"]["metadata"]["resourceVersion"]
    rest = follow(idc_client, namespace, last_seen, count(3), **mine())
    assert [value for _, _, value in told(first + rest)] == ["1", "2", "3", "4", "5", "6"]


def test_watch_gets_bookmarks(idc_client: Client, namespace: str) -> None:
    """A watch that asks for bookmarks learns a later version to resume from, though nothing happened to its objects."""
    only_a = {"fieldSelector": "metadata.name=a"}
    since = put(idc_client, namespace, "a", "0")["metadata"]["resourceVersion"]
    put(idc_client, namespace, "a", "1")

    def enough(events: Manifests) -> bool:
        if len(events) == 1:  # the watch is there; something happens elsewhere
            put(idc_client, namespace, "b", "0")
        return bool(events[-1]["type"] == "BOOKMARK")

    # the server sends a bookmark 2 s before it ends a stream
    events = follow(idc_client, namespace, since, enough, **only_a, allowWatchBookmarks="true", timeoutSeconds="4")
    assert [each["type"] for each in events] == ["MODIFIED", "BOOKMARK"]
    seen, marked = (int(each["object"]["metadata"]["resourceVersion"]) for each in events)
    assert marked > seen
    put(idc_client, namespace, "a", "2")
    assert told(follow(idc_client, namespace, str(marked), count(1), **only_a)) == [("MODIFIED", "a", "2")]


def test_watch_may_begin_with_all_there_is(idc_client: Client, namespace: str) -> None:
    """A watch can stream the objects that exist, and says by a bookmark when it has told them all."""
    for name in ("a", "b"):
        put(idc_client, namespace, name, "0")
    query = mine(sendInitialEvents="true", allowWatchBookmarks="true", resourceVersionMatch="NotOlderThan")
    events = follow(idc_client, namespace, "", lambda events: events[-1]["type"] == "BOOKMARK", **query)
    assert told(events[:-1]) == [("ADDED", "a", "0"), ("ADDED", "b", "0")]
    assert events[-1]["object"]["metadata"]["annotations"] == {INITIAL_EVENTS_END: "true"}


@pytest.mark.idc(negative=True)
def test_watch_from_a_forgotten_version_is_refused(
    idc_cluster: LiveCluster, idc_client: Client, namespace: str
) -> None:
    """A watch from a version that is not kept any more is told so, instead of missing changes in silence."""
    forget_the_first(idc_cluster, idc_client)
    path = idc_client.path("Event", namespace=namespace, api_version="v1")
    [told] = idc_client.events(path, query={"resourceVersion": "1", "timeoutSeconds": "10"})
    assert told["type"] == "ERROR"
    assert (told["object"]["code"], told["object"]["reason"]) == (410, "Expired")


def test_watch_tells_when_an_object_leaves_its_selection(idc_client: Client, namespace: str) -> None:
    """An object whose label does not fit any more leaves a watch as deleted, and comes back as added."""
    made = idc_client.create(config_map("a", labels={"side": "left"}, data={"k": "0"}), namespace)
    for side in ("right", "left"):
        idc_client.patch("ConfigMap", "a", {"metadata": {"labels": {"side": side}}}, namespace)
    since = made["metadata"]["resourceVersion"]
    events = follow(idc_client, namespace, since, count(2), labelSelector="side=left")
    assert [each["type"] for each in events] == ["DELETED", "ADDED"]


@pytest.mark.idc(negative=True)
def test_watch_tells_nothing_of_other_namespaces(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A watch of one namespace does not tell what happens in another."""
    other = f"{namespace}-b"
    scratch.create(named("Namespace", other))
    since = put(idc_client, namespace, "a", "0")["metadata"]["resourceVersion"]
    put(idc_client, other, "a", "theirs")
    put(idc_client, namespace, "a", "ours")
    assert told(follow(idc_client, namespace, since, count(1), **mine())) == [("MODIFIED", "a", "ours")]
