"""Kinds of one's own: they are served, checked, defaulted and upgraded like those that are built in."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from idcbench.kube.apierror import ApiError
from idcbench.kube.crud import Client, Manifest

from .conftest import LABELS, Scratch
from .gadgets import definition, gadget, version
from .refusal import refused
from .states import has_condition, names

pytestmark = pytest.mark.idc(proves="api")
CRD = "CustomResourceDefinition"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def define(client: Client, crd: Manifest) -> None:
    """Wait until the kind is served."""
    client.wait_for(CRD, crd["metadata"]["name"], has_condition("Established"), what="established")
    client.wait_for_list("Gadget", lambda _: True, api_version=f"{crd['spec']['group']}/v1", what="served")


@pytest.fixture(scope="module")
def group(idc_client: Client) -> Iterator[str]:
    """The API group in which Gadgets are defined for the checks of this file."""
    group = f"i{secrets.token_hex(4)}.idcbench.io"
    crd = definition(group)
    crd["metadata"]["labels"] = LABELS
    idc_client.create(crd)
    define(idc_client, crd)
    yield group
    idc_client.delete(CRD, f"gadgets.{group}", missing_ok=True)


def make(client: Client, namespace: str, group: str, name: str = "one", **spec: object) -> Manifest:
    made = gadget(group, name, colour="blue")
    made["spec"] |= spec
    return client.create(made, namespace)


def change(client: Client, namespace: str, group: str, body: Manifest, *, subresource: str = "") -> Manifest:
    return client.patch("Gadget", "one", body, namespace, api_version=f"{group}/v1", subresource=subresource)


def test_custom_kind_is_served(idc_client: Client, namespace: str, group: str) -> None:
    """Objects of a kind that a CRD defines are created, listed and deleted like any other."""
    make(idc_client, namespace, group)
    assert names(idc_client.list("Gadget", namespace, api_version=f"{group}/v1")) == {"one"}
    idc_client.delete("Gadget", "one", namespace, api_version=f"{group}/v1")
    assert idc_client.list("Gadget", namespace, api_version=f"{group}/v1") == []


@pytest.mark.idc(negative=True)
@pytest.mark.parametrize(
    ("spec", "saying"),
    [
        ({"size": "large"}, "must be of type integer"),
        ({"size": 11}, "should be less than or equal to 10"),
        ({"colour": "pink"}, "Unsupported value"),
        ({"colour": None}, "Required value"),
    ],
    ids=["wrong type", "out of range", "not in the list", "missing"],
)
def test_schema_refuses_what_does_not_fit(
    idc_client: Client, namespace: str, group: str, spec: Manifest, saying: str
) -> None:
    """An object of a custom kind that does not fit its schema is refused, with the field that is wrong."""
    with refused("Invalid", saying=saying):
        make(idc_client, namespace, group, **spec)
    assert idc_client.list("Gadget", namespace, api_version=f"{group}/v1") == []


def test_schema_fills_in_defaults(idc_client: Client, namespace: str, group: str) -> None:
    """A field that was left out has the default of the schema."""
    assert make(idc_client, namespace, group)["spec"] == {"colour": "blue", "size": 3}


def test_schema_drops_unknown_fields(idc_client: Client, namespace: str, group: str) -> None:
    """A field that the schema does not know is not stored."""
    make(idc_client, namespace, group, weight=7)
    assert "weight" not in idc_client.get("Gadget", "one", namespace, api_version=f"{group}/v1")["spec"]


@pytest.mark.idc(negative=True)
def test_schema_rule_over_several_fields_is_kept(idc_client: Client, namespace: str, group: str) -> None:
    """A rule of the schema that ties two fields together refuses what breaks it, in its own words."""
    with refused("Invalid", saying="red ones are small"):
        make(idc_client, namespace, group, colour="red", size=6)
    make(idc_client, namespace, group, colour="red", size=5)


@pytest.mark.idc(negative=True)
def test_schema_rule_over_time_is_kept(idc_client: Client, namespace: str, group: str) -> None:
    """A field that the schema declares fixed cannot be changed once it is set."""
    make(idc_client, namespace, group, serial="A1")
    with refused("Invalid", saying="a serial stays"):
        change(idc_client, namespace, group, {"spec": {"serial": "B2"}})


@pytest.mark.idc(negative=True)
def test_status_and_spec_are_written_apart(idc_client: Client, namespace: str, group: str) -> None:
    """Who writes the object cannot touch its status, and who writes the status cannot touch the rest."""
    both = {"spec": {"size": 5}, "status": {"phase": "Done"}}
    make(idc_client, namespace, group)
    by_user = change(idc_client, namespace, group, both)
    assert "status" not in by_user
    assert by_user["spec"]["size"] == 5
    assert by_user["metadata"]["generation"] == 2
    by_controller = change(idc_client, namespace, group, both | {"spec": {"size": 7}}, subresource="status")
    assert by_controller["status"] == {"phase": "Done"}
    assert by_controller["spec"]["size"] == 5
    assert by_controller["metadata"]["generation"] == 2


def test_custom_kind_scales(idc_client: Client, namespace: str, group: str) -> None:
    """The scale subresource of a custom kind sets the field that its CRD names."""
    make(idc_client, namespace, group, replicas=1)
    idc_client.scale("Gadget", "one", 4, namespace, api_version=f"{group}/v1")
    assert idc_client.get("Gadget", "one", namespace, api_version=f"{group}/v1")["spec"]["replicas"] == 4


def test_custom_kind_is_selected_by_its_fields(idc_client: Client, namespace: str, group: str) -> None:
    """A list can be narrowed by a field that the CRD declares selectable."""
    make(idc_client, namespace, group, "one", colour="blue")
    make(idc_client, namespace, group, "two", colour="green")
    found = idc_client.list("Gadget", namespace, api_version=f"{group}/v1", field_selector="spec.colour=green")
    assert names(found) == {"two"}


def test_custom_kind_is_printed_with_its_columns(idc_client: Client, namespace: str, group: str) -> None:
    """A table, as kubectl asks for, has the columns that the CRD names."""
    make(idc_client, namespace, group)
    path = idc_client.path("Gadget", namespace=namespace, api_version=f"{group}/v1")
    table = idc_client.raw("GET", path, headers={"Accept": TABLE}).json()
    assert [each["name"] for each in table["columnDefinitions"]] == ["Name", "Colour"]
    assert [row["cells"] for row in table["rows"]] == [["one", "blue"]]


def test_custom_kind_is_upgraded_in_place(idc_client: Client, namespace: str, unique: str, scratch: Scratch) -> None:
    """A second version of the same schema serves what was stored under the first, and the first serves the new."""
    group = f"{unique}.idcbench.io"
    crd = scratch.create(definition(group))
    define(idc_client, crd)
    idc_client.create(gadget(group, "old", colour="red"), namespace)
    versions = [version("v1", storage=False), version("v2", storage=True)]
    idc_client.patch(CRD, crd["metadata"]["name"], {"spec": {"versions": versions}})
    idc_client.wait_for("Gadget", "old", lambda found: found["spec"]["colour"] == "red", namespace,
                        api_version=f"{group}/v2", what="served as v2")  # fmt: skip
    idc_client.create(gadget(group, "new", version="v2", colour="blue"), namespace)
    for api_version in (f"{group}/v1", f"{group}/v2"):
        found = idc_client.list("Gadget", namespace, api_version=api_version)
        assert {each["apiVersion"] for each in found} == {api_version}
        assert names(found) == {"old", "new"}
    assert idc_client.get(CRD, crd["metadata"]["name"])["status"]["storedVersions"] == ["v1", "v2"]


def test_objects_go_with_their_definition(idc_client: Client, namespace: str, unique: str, scratch: Scratch) -> None:
    """When a CRD is deleted, its objects are deleted, and the kind is not served any more."""
    group = f"{unique}.idcbench.io"
    crd = scratch.create(definition(group))
    define(idc_client, crd)
    idc_client.create(gadget(group, "one", colour="red"), namespace)
    path = idc_client.path("Gadget", "one", namespace, api_version=f"{group}/v1")
    idc_client.delete(CRD, crd["metadata"]["name"])
    idc_client.wait_gone(CRD, crd["metadata"]["name"])
    with pytest.raises(ApiError) as error:
        idc_client.raw("GET", path)
    assert error.value.status == 404


@pytest.mark.idc(negative=True)
def test_definition_needs_a_whole_schema(unique: str, scratch: Scratch) -> None:
    """A CRD whose schema leaves the type of a field open is refused."""
    crd = definition(f"{unique}.idcbench.io")
    crd["spec"]["versions"][0]["schema"] = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {}}}}
    with refused("Invalid", saying="must not be empty for specified object fields"):
        scratch.create(crd)
