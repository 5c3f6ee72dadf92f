"""The inventory: what is inherited, and what is said of a file that is not right."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from idcbench.errors import UsageError
from idcbench.hosts.gateway import Gateway, gateway_of
from idcbench.hosts.inventory import HostEntry, Inventory, Power
from idcbench.hosts.inventory_checks import even
from idcbench.hosts.inventory_fields import FIELDS
from idcbench.hosts.inventory_file import merge, parse_inventory, read_inventory
from idcbench.hosts.inventory_schema import json_schema

SOUND = """\
cluster:
  name: lab
  kubernetes: "1.37"
  endpoint: {address: 10.9.0.100}
defaults: {user: ops, key: keys/id, sudo: true, labels: {site: north, row: "1"}}
groups:
  worker: {labels: {row: "2"}}
  rack-a: {port: 2222, labels: {rack: a}, taints: ["gpu=yes:NoSchedule"]}
hosts:
  cp1: {address: 10.9.0.11, groups: [control-plane]}
  w1:
    address: 10.9.0.21
    groups: [worker, rack-a]
    user: root
    sudo_password: env:SUDO_W1
    power: {driver: command, "off": [pdu, "off", "7"], "on": [pdu, "on", "7"], status: [pdu, status, "7"]}
"""


def read(text: str) -> Inventory:
    return parse_inventory(text, path=Path("/etc/room/inventory.yaml"))


def said(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(text)
    return str(caught.value)


def test_variables_come_from_defaults_groups_and_the_host_in_this_order() -> None:
    inventory = read(SOUND)
    cp1, w1 = inventory.hosts
    assert (cp1.user, cp1.port, cp1.labels) == ("ops", 22, {"site": "north", "row": "1"})
    assert (w1.user, w1.port, w1.labels) == ("root", 2222, {"site": "north", "row": "2", "rack": "a"})
    assert [str(taint) for taint in w1.taints] == ["gpu=yes:NoSchedule"]
    assert (inventory.control_planes, inventory.workers) == ((cp1,), (w1,))
    assert str(w1.sudo_password) == "env:SUDO_W1"


def test_paths_count_from_the_folder_of_the_inventory() -> None:
    assert read(SOUND).hosts[0].key == Path("/etc/room/keys/id")


def test_keys_that_yaml_takes_for_true_and_false_need_no_quotes() -> None:
    bare = SOUND.replace('"off": [', "off: [").replace('"on": [', "on: [")
    assert read(bare) == read(SOUND)
    assert read(SOUND).host("w1").power == Power(
        driver="command", off=("pdu", "off", "7"), on=("pdu", "on", "7"), status=("pdu", "status", "7")
    )


def test_a_user_s_name_may_have_dots() -> None:
    assert read(SOUND.replace("user: ops", "user: john.doe")).hosts[0].user == "john.doe"


def test_every_variable_is_a_field_of_a_host() -> None:
    assert set(FIELDS) <= set(HostEntry.__dataclass_fields__)


NAMES = st.sampled_from("abc")
VALUES = st.booleans() | st.dictionaries(NAMES, st.booleans(), max_size=3)


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=4))
def test_the_last_layer_that_names_a_value_gives_it(layers: list[dict[str, object]]) -> None:
    merged = merge(layers)
    assert set(merged) == {name for layer in layers for name in layer}
    for name, value in merged.items():
        last = next(layer[name] for layer in reversed(layers) if name in layer)
        assert last.items() <= value.items() if isinstance(last, dict) else value == last  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  name: lab\n", "", "line 2: cluster: name: the cluster's name is wanted here; found nothing"),
        ("name: lab", "name: Lab_1", "line 2: cluster.name: up to 63 small letters, digits and - is wanted; found"),
        ('"1.37"', "1.37", "line 3: cluster.kubernetes: a text is wanted; found 1.37; write it in quotes"),
        ('"1.37"', '"1.12"', "line 3: cluster.kubernetes: a version of 1.34, 1.35, 1.36, 1.37 is wanted"),
        (
            "hosts:\n",
            "hosts:\n" + "".join(f"  a{i}: {{address: 10.9.1.{i}, groups: [control-plane]}}\n" for i in range(6)),
            "hosts: 1, 3 or 5 control planes are wanted (each write goes to all of them); found 7",
        ),
        ("keys/id", "~nobody.here/id", "line 5: defaults.key: a user with a home directory is wanted; found"),
        ('row: "1"', "row: 1", "line 5: defaults.labels.row: a text is wanted; found 1; write it in quotes"),
        ('row: "1"', "row: true", "found true; write it in quotes"),
        ("user: ops", "user: Ops", "line 5: defaults.user: a user's name, of a-z, 0-9 and _ - . with"),
        ('"1.37"', "latest", 'a version in quotes such as "1.37" or "1.37.2" is wanted'),
        ("10.9.0.100", "10.9.0.11", "line 10: hosts.cp1: 10.9.0.11 is the endpoint's"),
        ("10.9.0.21", "10.9.0.11", "line 12: hosts.w1: an address of its own is wanted; 10.9.0.11 is also that of cp1"),
        ("[control-plane]", "[worker]", "at least one host in group control-plane is wanted; found none"),
        ("[worker, rack-a]", "[rack-a]", "hosts.w1: a role is wanted: put it into group control-plane or worker"),
        ("[worker, rack-a]", "[worker, rack-b]", "no group 'rack-b'; did you mean rack-a?"),
        ("port: 2222", "port: 70000", "line 8: groups.rack-a.port: a whole number from 1 to 65535 is wanted; found"),
        ("port: 2222", "prot: 2222", "line 8: groups.rack-a.prot: no such field; did you mean port?"),
        ("env:SUDO_W1", "hunter2", "file:PATH or env:NAME is wanted, never the secret itself; found something else"),
        ("gpu=yes:NoSchedule", "gpu", 'a taint as one text, such as "key=value:NoSchedule", is wanted'),
        ('"gpu=yes:NoSchedule"', "gpu: yes", 'such as "key=value:NoSchedule", is wanted; found a mapping'),
        ('"gpu=yes:NoSchedule"', "{key: gpu}", 'such as "key=value:NoSchedule", is wanted; found a mapping'),
        ("cp1:", "cp_1:", "line 10: hosts.cp_1: 'cp_1' can be no node's name"),
        ("    address: 10.9.0.21", "    address: 10.9.0.256", "hosts.w1.address: an IPv4 address or a host's name"),
        ("    address: 10.9.0.21", "    address: w1.example", "node_address: an IPv4 address is wanted where address"),
        ("    user: root", "    jump: cp2", "line 14: hosts.w1.jump: a host of this inventory or user@address"),
        ("    user: root", "    jump: w1", "line 14: hosts.w1.jump: a way that ends is wanted; found w1 → w1"),
        ("{port: 2222,", "{jump: cp2,", "line 8: groups.rack-a.jump: a host of this inventory or user@address"),
        ("{user: ops,", "{jump: cp2,", "line 5: defaults.jump: a host of this inventory or user@address"),
        ("cluster:", "clusters:", "line 1: clusters: no such field; did you mean cluster?"),
        ("hosts:", "host:", "line 9: host: no such field; did you mean hosts?"),
        ("driver: command", "driver: lab", "no such field"),
        ("{address: 10.9.0.100}", "{mode: local-lb, address: 10.9.0.100}", "leave the address out"),
        (
            "{address: 10.9.0.100}",
            "\n    address: 10.9.0.100\n    port: 6443",
            "line 6: cluster.endpoint.port: a port that nothing else of the cluster has is wanted; found 6443 (API",
        ),
        ("{address: 10.9.0.100}", "{mode: local-lb, port: 8444}", "is wanted; found 8444 (haproxy's health)"),
        ("{address: 10.9.0.100}", "{mode: keepalive, address: 10.9.0.100}", "did you mean keepalived?"),
        ("defaults:", "  network: {pods: 10.9.0.0/16}\ndefaults:", "10.9.0.11 lies in network.pods 10.9.0.0/16"),
        (
            "defaults:",
            "  network:\n    domain: a\n    pods: 10.96.0.0/16\ndefaults:",
            "line 7: cluster.network.pods: networks of pods and services that do not overlap",
        ),
        (
            "defaults:",
            "  network:\n    domain: a\n    services: 10.244.8.0/24\ndefaults:",
            "line 7: cluster.network.services: networks of pods and services that do not overlap",
        ),
        (
            "defaults:",
            "  network:\n    domain: a\n    pods: 10.240.0.0/24\ndefaults:",
            "line 7: cluster.network.pods: a /24 for each of 2 hosts is wanted; found 10.240.0.0/24",
        ),
        (
            "{address: 10.9.0.100}",
            "\n    mode: keepalived\n    address: 10.96.0.9",
            "line 6: cluster.endpoint.address: 10.96.0.9 lies in network.services 10.96.0.0/16",
        ),
        (
            "defaults:",
            "  network: {plugin: calico.yaml}\ndefaults:",
            "flannel, none, or the path of a manifest that is",
        ),
        ("defaults:", "  network: {pods: 10.1.2.3/16}\ndefaults:", "an IPv4 network such as 10.244.0.0/16"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, expected: str) -> None:
    assert old in SOUND
    message = said(SOUND.replace(old, new))
    assert message.startswith("/etc/room/inventory.yaml, line ")
    assert expected in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "jump",
    ["a@b:c:d", "@", "a@", "@b", "a@b:", "a@b:0", "a@b:99999", "a@10.0.0.256", "a b@c", "gateway.example", "b:22"],
)
def test_a_jump_that_leads_nowhere_is_told_with_its_line(jump: str) -> None:
    message = said(SOUND.replace("    user: root", f'    jump: "{jump}"'))
    assert "line 14: hosts.w1.jump: a host of this inventory or user@address:port is wanted; found the text" in message


def test_a_jump_may_be_a_machine_of_no_inventory() -> None:
    assert gateway_of("ops@gateway.example") == Gateway("ops", "gateway.example", 22)
    assert gateway_of("a@10.0.0.1:65535") == Gateway("a", "10.0.0.1", 65535)
    assert read(SOUND.replace("    user: root", "    jump: ops@gateway.example:2222")).host("w1").jump


def test_an_even_number_of_control_planes_is_read_and_told() -> None:
    two = read(SOUND.replace("[worker, rack-a]", "[control-plane]"))
    assert "an odd number of control planes is wanted" in even(two)
    assert "found 2: cp1, w1; put 1, 3 or 5" in even(two)
    assert even(read(SOUND)) == ""


def test_an_endpoint_of_somebody_else_may_have_any_port() -> None:
    external = SOUND.replace("{address: 10.9.0.100}", "{mode: external, address: api.example, port: 6443}")
    assert read(external).endpoint.port == 6443


@pytest.mark.parametrize("found", ["12345678", "2024-01-01", "1e5", "true", "[hunter2]", "{hunter2: x}", "!x hunter2"])
@pytest.mark.parametrize("place", ["password: {}", "sudo_password: {}", "power: {{driver: ipmi, {} password: {}}}"])
def test_a_secret_is_never_shown_whatever_yaml_takes_it_for(place: str, found: str) -> None:
    host = place.format("address: a, user: u,", found) if "power" in place else place.format(found)
    message = said(f"{SOUND}  w2:\n    groups: [worker]\n    {host}\n")
    assert "line 19: hosts.w2" in message
    assert message.endswith(": file:PATH or env:NAME is wanted, never the secret itself; found something else")


PLACED = """\
cluster: {name: lab, endpoint: {address: 10.9.0.100}}
defaults: {key: id, known_hosts: known}
groups:
  worker:
    sudo: true
    sudo_password: file:secret
hosts:
  cp1: {address: 10.9.0.11, groups: [control-plane]}
  w1:
    address: 10.9.0.21
    groups: [worker]
    password: file:secret
    power: {driver: ipmi, address: bmc, user: u, password: file:secret}
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("key: id", "key: none", "line 2: defaults.key: a file is wanted; found at {}/none: No such file or directory"),
        ("key: id", "key: .", "line 2: defaults.key: a file is wanted; found at {}: a directory"),
        ("known_hosts: known", "known_hosts: none", "line 2: defaults.known_hosts: a file is wanted; found at {}/none"),
        ("sudo_password: file:secret", "sudo_password: file:none", "line 6: groups.worker.sudo_password: a file"),
        ("    password: file:secret", "    password: file:none", "line 12: hosts.w1.password: a file"),
        (" password: file:secret}", " password: file:none}", "line 13: hosts.w1.power.password: a file"),
    ],
)
def test_a_file_that_is_not_there_is_told_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    for name in ("id", "known", "secret"):
        (tmp_path / name).touch()
    file = tmp_path / "inventory.yaml"
    file.write_text(PLACED)
    assert read_inventory(file).hosts[0].key == tmp_path / "id"
    file.write_text(PLACED.replace(old, new))
    with pytest.raises(UsageError) as caught:
        read_inventory(file)
    assert expected.format(tmp_path) in str(caught.value)


def test_what_is_read_only_when_needed_or_written_first_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "id").touch()
    file = tmp_path / "inventory.yaml"
    file.write_text(PLACED.replace("file:secret", "env:NOT_SET").replace("known}", "none, host_keys: first-use}"))
    assert len(read_inventory(file).hosts) == 2


@pytest.mark.parametrize("text", ["", "[]", "cluster: {", "\t", "cluster: &a [*a]", "hosts: {}"])
def test_what_is_no_inventory_at_all_is_told_too(text: str) -> None:
    assert said(text).startswith("/etc/room/inventory.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cluster:\n  name: lab\n   profile: fast\n", "line 3: not YAML: mapping values are not allowed here; keys"),
        ("cluster:\n    name: lab\n  profile: fast\n", "but found '<block mapping start>'; keys of one level begin in"),
        ("cluster:\n  name: lab\n  profile:fast\nhosts:\n", "line 3: not YAML: could not find expected ':'; 'key"),
        ("cluster:\n  profile:fast\n  name: lab\n", "line 3: not YAML: mapping values are not allowed here; keys"),
        ("cluster:\n  name: lab\n---\nhosts:\n", "line 3: not YAML: but found another document; one document only"),
        ("[worker]\nw1 ansible_host=10.0.0.1\n", "line 2: not YAML: expected '<document start>', but found"),
        ("cluster:\n\tname: lab\n", "line 2: not YAML: found character '\\t' that cannot start any token; indent"),
        ("hosts:\n  w1: {user: @ops}\n", "found character '@' that cannot start any token; a text that begins so"),
        ("hosts:\n  w1: {a: b\n  w2: {a: b}\n", "line 2: not YAML: expected ',' or '}', but got ':'; close"),
        ("cluster: 'lab\nhosts:\n", "line 1: not YAML: found unexpected end of stream; close the quote"),
        ("hosts:\n  w1: {password: *hunter2}\n", "line 2: not YAML: found undefined alias; a text that begins"),
        ("hosts:\n  w1: {password: !hunter2!x y}\n", "line 2: not YAML: found undefined tag handle; a text"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_told_with_what_to_do(text: str, expected: str) -> None:
    message = said(text)
    assert expected in message
    assert "hunter2" not in message


def test_the_published_schema_takes_what_is_read_and_is_the_one_in_docs() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(SOUND), schema)
    published = Path(__file__).parents[2] / "docs" / "inventory.schema.json"
    assert yaml.safe_load(published.read_text()) == schema


@pytest.mark.parametrize("old", ["port: 2222", "env:SUDO_W1", "gpu=yes:NoSchedule", "cp1:", "driver: command"])
def test_the_published_schema_refuses_wrong_values_as_reading_does(old: str) -> None:
    wrong = {"port: 2222": "port: 0", "env:SUDO_W1": "x", "gpu=yes:NoSchedule": "x", "cp1:": "c_:"}
    text = SOUND.replace(old, wrong.get(old, "driver: hand"))
    said(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), json_schema())
