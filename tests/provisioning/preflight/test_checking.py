"""The whole of `idcbench check` against real sshds on loopback, its fixes, and what `idcbench up` asks before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import jsonschema
import pytest

from idcbench.cli.main import main
from idcbench.errors import ClusterError, UsageError
from idcbench.hosts.inventory_file import read_inventory
from idcbench.provisioning.artifacts.bundle import Bundle
from idcbench.provisioning.kubeadm.state import State
from idcbench.provisioning.preflight import measuring
from idcbench.provisioning.preflight.before import judge_state, refuse_unsound
from idcbench.provisioning.preflight.check import Check, host_check
from idcbench.provisioning.preflight.checking import check_hosts, fixes_of, supply_of
from idcbench.provisioning.preflight.document import json_schema
from idcbench.provisioning.preflight.finding import Fix, judged
from idcbench.provisioning.preflight.registry import CHECKS, chosen


@pytest.fixture
def inventory(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A control plane and a worker on the same sshd by two of its addresses, and a worker that is off."""
    monkeypatch.setattr(measuring, "ETCD", str(tmp_path / "etcd"))
    port = server.entry.port
    known = server.folder / "known_hosts"
    known.write_text(known.read_text().replace("[127.0.0.1]", f"[localhost]:{port},[127.0.0.1]"))
    file = tmp_path / "inventory.yaml"
    file.write_text(
        f"""\
cluster:
  name: lab
  endpoint: {{mode: local-lb}}
defaults: {{key: ./id, known_hosts: ./known_hosts, port: {port}}}
hosts:
  cp1: {{address: 127.0.0.1, node_address: 127.0.0.4, groups: [control-plane]}}
  w1: {{address: localhost, node_address: 127.0.0.2, groups: [worker]}}
  w2: {{address: 127.0.0.3, groups: [worker]}}
"""
    )
    return file


@pytest.mark.integration
def test_all_forms_at_once_and_a_host_that_is_off(
    inventory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forms = ["--json", "--junit", str(tmp_path / "j.xml"), "--html", str(tmp_path / "p.html")]
    assert main(["check", str(inventory), *forms]) == 6
    said = json.loads(capsys.readouterr().out)
    jsonschema.validate(said, json_schema())
    of = {(row["check"], row["subject"]): row for row in said["findings"]}
    assert of["P001", "w2"]["level"] == "error"
    assert "refuses connections" in of["P001", "w2"]["found"]
    for check in ("P001", "P002", "P003"):
        assert of[check, "cp1"]["level"] == of[check, "w1"]["level"] == "sound", of[check, "cp1"]
    assert of["P421", "w1 → cp1"]["level"] == "sound"  # 6443 and 10250 listen for the moment
    assert of["P312", "cp1"]["found"].startswith("p99 ")
    assert len(Xml.parse(tmp_path / "j.xml").getroot().findall(".//testcase")) == len(said["findings"])
    assert "Not fit" in (tmp_path / "p.html").read_text()


@pytest.mark.integration
def test_only_some_checks_ask_no_more_than_they_need(
    inventory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "SCRIPT", b"raise SystemExit('never sent')")
    assert main(["check", str(inventory), "--only", "p110,P501", "--json"]) in (0, 6)
    said = json.loads(capsys.readouterr().out)
    assert [check["id"] for check in said["checks"]] == ["P110", "P501"]
    assert {row["subject"] for row in said["findings"]} == {"cp1", "w1"}


@pytest.mark.integration
async def test_a_fix_is_applied_told_and_judged_again(inventory: Path, tmp_path: Path) -> None:
    marker = tmp_path / "mended"

    def checked(number: str, script: str) -> Check:
        @host_check(number, "a file is there", "error")
        def there(host: Any) -> Any:
            """For this test."""
            fix = Fix(what=number, script=script)
            return judged(marker.exists(), "?", wanted="it", remedy="make it", fix=fix) if host.name == "cp1" else None

        return there

    hosts, checks = read_inventory(inventory), [checked("P998", "no way"), checked("P999", f"touch {marker}")]
    before = await check_hosts(hosts, checks=checks, bundle=None)
    assert (before.sound, before.changed, marker.exists()) == (False, (), False)
    after = await check_hosts(hosts, checks=checks, bundle=None, fix=True)
    assert (after.sound, marker.exists()) == (True, True)
    assert [(one.host, one.what, bool(one.trouble)) for one in after.changed] == [
        ("cp1", "P998", True), ("cp1", "P999", False),
    ]  # fmt: skip
    assert "not found" in after.changed[0].trouble


def test_what_is_mended_is_what_up_would_do_and_each_thing_once(scene: Any) -> None:
    scene.set("w1", "swap", "/dev/sda2").set("w1", "dpkg_broken", "yes")
    scene.swap("w1", "sysctl", "net.ipv4.ip_forward 1", "net.ipv4.ip_forward 0")
    fixes = fixes_of(scene.evidence(), scene.judge())
    assert list(fixes) == ["w1"]
    assert [fix.what for fix in fixes["w1"]] == [
        "set net.ipv4.ip_forward = 1", "switch swap off, and keep it off", "finish what dpkg left half done",
    ]  # fmt: skip
    assert "echo 1 > /proc/sys/net/ipv4/ip_forward" in fixes["w1"][0].script


def test_a_container_s_swap_is_its_machine_s_and_let_be(scene: Any) -> None:
    scene.set("w1", "swap", "/dev/sda2").set("w1", "capabilities", "000001fffeffffff")
    assert fixes_of(scene.evidence(), scene.judge()) == {}


def test_a_host_of_another_cluster_is_not_mended(scene: Any) -> None:
    scene.set("w1", "dpkg_broken", "yes").member("w1", cluster="other")
    assert fixes_of(scene.evidence(), scene.judge()) == {}


def test_an_unknown_number_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no check is called P10; they are P001 to P713"):
        chosen(["P10"])
    assert chosen([]) == tuple(CHECKS.values())


def test_up_is_refused_with_all_errors_and_for_nothing_less(scene: Any, bundle: Bundle) -> None:
    def state() -> State:
        evidence = scene.evidence()
        return State(inventory=evidence.inventory, facts=evidence.facts)

    refuse_unsound(state(), bundle=bundle)
    assert not {one.check for one in judge_state(state(), bundle=bundle) if CHECKS[one.check].measures}
    scene.set("w1", "swap", "/dev/sda2")
    refuse_unsound(state(), bundle=bundle)
    scene.set("w1", "architecture", "aarch64").set("cp1", "cores", "1")
    with pytest.raises(ClusterError, match="nothing was changed") as told:
        refuse_unsound(state(), bundle=bundle)
    assert "P101 cp1: found 1 cores; wanted 2 cores; give the machine more cores" in str(told.value)
    assert "P610 w1: found the bundle amd64, the host arm64" in str(told.value)


def test_a_cluster_with_an_even_number_of_control_planes_is_not_begun_but_worked_on(scene: Any, bundle: Bundle) -> None:
    scene.ask("  cp2: {address: 192.0.2.12, groups: [control-plane]}\n", "")

    def state() -> State:
        evidence = scene.evidence()
        return State(inventory=evidence.inventory, facts=evidence.facts)

    with pytest.raises(ClusterError, match="P713 cluster: found 2: cp1, cp3; wanted 1, 3 or 5; put"):
        refuse_unsound(state(), bundle=bundle)
    scene.member("cp1")
    refuse_unsound(state(), bundle=bundle)


def test_a_bundle_with_a_flipped_bit_is_found(scene: Any, bundle: Bundle, tmp_path: Path) -> None:
    inventory = scene.evidence().inventory
    whole = supply_of(bundle.path, inventory)
    assert whole is not None
    assert whole.manifest == bundle.manifest
    content = bytearray(bundle.path.read_bytes())
    content[content.index(b"what a host gets")] ^= 1
    (tmp_path / "flipped").write_bytes(content)
    scene.bundle = supply_of(tmp_path / "flipped", inventory)
    (found,) = scene.judge(["P609"])
    assert found.level == "error"
    assert "tool is damaged" in found.found
    assert found.remedy.startswith("copy it again")
    scene.bundle = supply_of(tmp_path / "missing", inventory)
    assert [one.level for one in scene.judge(["P609"])] == ["error"]
