"""Long lists, page by page: whole, of one moment, and with an end to how long a page may wait."""

from __future__ import annotations

import base64
import json

import pytest

from idcbench.kube.crud import Client, Manifest
from idcbench.plugin.live import LiveCluster

from .etcd import forget_the_first
from .manifests import config_map, named
from .refusal import refused
from .states import name_of

pytestmark = pytest.mark.idc(proves="api")
LABEL = "pages=yes"
COUNT = 7


@pytest.fixture
def seven(idc_client: Client, namespace: str) -> list[str]:
    """The names of seven ConfigMaps, in the order of a list."""
    return [name_of(make(idc_client, namespace, f"item-{number}")) for number in range(COUNT)]


def make(client: Client, namespace: str, name: str) -> Manifest:
    return client.create(config_map(name, labels={"pages": "yes"}), namespace)


def page(client: Client, namespace: str, *, limit: int, token: str = "") -> Manifest:
    query = {"labelSelector": LABEL, "limit": str(limit)} | ({"continue": token} if token else {})
    found: Manifest = client.raw("GET", client.path("ConfigMap", namespace=namespace), query=query).json()
    return found


def pages(client: Client, namespace: str, *, limit: int, first: Manifest) -> list[list[str]]:
    """The names on each page, beginning with the page ``first``."""
    found = [first]
    while token := found[-1]["metadata"].get("continue"):
        found.append(page(client, namespace, limit=limit, token=token))
    return [[name_of(item) for item in each["items"]] for each in found]


def test_pages_hold_each_object_once(idc_client: Client, namespace: str, seven: list[str]) -> None:
    """A list read in pages of three holds every object once, in order, and no page is larger than asked for."""
    found = pages(idc_client, namespace, limit=3, first=page(idc_client, namespace, limit=3))
    assert [len(each) for each in found] == [3, 3, 1]
    assert [name for each in found for name in each] == seven


@pytest.mark.idc(negative=True)
def test_pages_show_one_moment(idc_client: Client, namespace: str, seven: list[str]) -> None:
    """What is created or deleted between two pages changes nothing in the list that was begun."""
    first = page(idc_client, namespace, limit=2)
    make(idc_client, namespace, "item-9")
    idc_client.delete("ConfigMap", seven[4], namespace)
    found = pages(idc_client, namespace, limit=2, first=first)
    assert [name for each in found for name in each] == seven


@pytest.mark.idc(negative=True)
def test_page_that_waited_too_long_is_refused(idc_cluster: LiveCluster, idc_client: Client, namespace: str) -> None:
    """A list cannot be gone on with when its moment is not kept any more, and the refusal says so.

    A token of the oldest moment is made from one of now, as a list that was begun that long ago would have it.
    """
    for number in range(2):
        about = {"apiVersion": "v1", "kind": "Namespace", "name": namespace, "namespace": namespace}
        idc_client.create(named("Event", f"item-{number}", involvedObject=about), namespace)
    path = idc_client.path("Event", namespace=namespace, api_version="v1")
    first = idc_client.raw("GET", path, query={"limit": "1"}).json()["metadata"]["continue"]
    forget_the_first(idc_cluster, idc_client)
    with refused("Expired", saying="continue"):
        idc_client.raw("GET", path, query={"limit": "1", "continue": aged(first)})


@pytest.mark.idc(negative=True)
@pytest.mark.usefixtures("seven")
def test_page_of_a_damaged_token_is_refused(idc_client: Client, namespace: str) -> None:
    """A continue token that is none is refused, instead of beginning anew unasked."""
    with refused("BadRequest", saying="continue key is not valid"):
        page(idc_client, namespace, limit=3, token="damaged")


def aged(token: str) -> str:
    """The same place in a list of the oldest moment there is: the token is base64 of JSON, ``rv`` its moment."""
    place = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return base64.urlsafe_b64encode(json.dumps(place | {"rv": 1}).encode()).decode().rstrip("=")
