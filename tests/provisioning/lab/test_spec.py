"""Names, addresses, networks and the inventory, without an engine."""

from __future__ import annotations

import json
import stat
from ipaddress import IPv4Network
from pathlib import Path

import asyncssh
import pytest
import yaml

from idcbench.errors import UsageError
from idcbench.provisioning.lab import oci_runtime, runtime
from idcbench.provisioning.lab.inventory import inventory, known_hosts, public_key
from idcbench.provisioning.lab.recipe import Recipe
from idcbench.provisioning.lab.spec import POOL, LabSpec, choose_subnet, hosts_of, routes
from idcbench.provisioning.lab.state import LabFiles
from idcbench.provisioning.lab.watches import raise_limits

SUBNET = IPv4Network("172.30.77.0/24")
ROUTES = (
    "Iface Destination Gateway Flags RefCnt Use Metric Mask\n"
    "eth0 00000000 010200C0 0003 0 0 0 00000000\n"
    "br 004D1EAC 00000000 0001 0 0 0 00FFFFFF\n"
)


def test_roles_have_their_own_addresses() -> None:
    hosts = hosts_of(LabSpec(hosts=5, control_planes=3), SUBNET)
    assert [(h.name, str(h.address)) for h in hosts] == [
        ("cp1", "172.30.77.11"), ("cp2", "172.30.77.12"), ("cp3", "172.30.77.13"),
        ("w1", "172.30.77.21"), ("w2", "172.30.77.22"),
    ]  # fmt: skip
    assert len({h.rack for h in hosts if h.role == "control-plane"}) == 3


@pytest.mark.parametrize(
    "spec", [LabSpec(hosts=2, control_planes=3), LabSpec(control_planes=0), LabSpec(hosts=90), LabSpec(memory="much")]
)
def test_what_cannot_be_is_refused(spec: LabSpec) -> None:
    with pytest.raises(UsageError):
        spec.check()


def test_a_network_is_the_same_for_a_name_and_clashes_with_no_route() -> None:
    assert choose_subnet("a", []) == choose_subnet("a", [])
    first = choose_subnet("a", [])
    assert not choose_subnet("a", [first]).overlaps(first)
    with pytest.raises(UsageError, match="no /24"):
        choose_subnet("a", [POOL])


def test_routes_are_read_without_the_default_one() -> None:
    assert routes(ROUTES) == [SUBNET]


def test_the_inventory_names_every_host_and_a_free_virtual_address() -> None:
    hosts = hosts_of(LabSpec(), SUBNET)
    made = yaml.safe_load(inventory("lab", hosts, SUBNET))
    assert made["hosts"]["w3"] == {"address": "172.30.77.23", "groups": ["worker", hosts[5].rack]}
    assert made["cluster"]["endpoint"]["address"] not in {str(h.address) for h in hosts}
    assert {g for h in made["hosts"].values() for g in h["groups"]} <= made["groups"].keys()
    assert known_hosts(hosts, {"cp1": "ssh-ed25519 A"}) == "172.30.77.11 ssh-ed25519 A\n"


def test_the_key_pair_is_made_once_and_private(tmp_path: Path) -> None:
    files = LabFiles(tmp_path)
    line = public_key(files)
    assert public_key(files) == line
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert asyncssh.read_private_key(files.key).convert_to_public() == asyncssh.import_public_key(line)


def test_the_runtime_takes_out_what_cannot_be_granted(tmp_path: Path) -> None:
    lacking = oci_runtime.missing("CapBnd:\t000001fffeffffff\n", 40)
    assert lacking == {"CAP_SYS_RESOURCE"}
    process = {"capabilities": {"bounding": ["CAP_KILL", "CAP_SYS_RESOURCE"], "effective": ["CAP_SYS_RESOURCE"]}}
    (tmp_path / "config.json").write_text(json.dumps({"process": process}))
    (tmp_path / "exec.json").write_text(json.dumps(process))
    named = oci_runtime.files(["create", "--bundle", str(tmp_path), f"--process={tmp_path / 'exec.json'}", "id"])
    for path, whole in named:
        oci_runtime.rewrite(path, lacking, whole=whole)
    wanted = {"capabilities": {"bounding": ["CAP_KILL"], "effective": []}}
    assert json.loads((tmp_path / "config.json").read_text()) == {"process": wanted}
    assert json.loads((tmp_path / "exec.json").read_text()) == wanted


def test_setting_the_runtime_up_keeps_other_settings(tmp_path: Path) -> None:
    settings, program = tmp_path / "etc" / "daemon.json", tmp_path / "lib" / "oci-runtime"
    settings.parent.mkdir()
    settings.write_text('{"debug": true, "runtimes": {"other": {"path": "/x"}}}')
    for _ in range(2):
        runtime.install(program=program, settings=settings)
    assert json.loads(settings.read_text()) == {
        "debug": True, "runtimes": {"other": {"path": "/x"}, runtime.NAME: {"path": str(program)}},
    }  # fmt: skip
    assert program.stat().st_mode & 0o111


def test_an_image_is_named_by_its_recipe() -> None:
    assert Recipe("debian-12").tag == Recipe("debian-12").tag != Recipe("debian-13").tag


def test_limits_that_may_not_be_raised_are_named(tmp_path: Path) -> None:
    (tmp_path / "max_user_instances").write_text("128\n")
    (tmp_path / "max_user_watches").write_text("999999\n")
    assert raise_limits(tmp_path) == []
    assert (tmp_path / "max_user_instances").read_text() == "1024\n"
