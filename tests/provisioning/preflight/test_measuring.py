"""Measuring between real network stacks: namespaces on one switch, sound first and then with faults."""

from __future__ import annotations

import ast
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from idcbench.provisioning.preflight import measuring, on_host
from idcbench.provisioning.preflight.registry import CHECKS, judge

MINIMAL = set(
    "__future__ ast contextlib errno os selectors signal socket struct subprocess threading time typing".split()
)
"""Modules that were found in python3.11-minimal of Debian 12; json, for one, is not there."""
BETWEEN = [check for check in CHECKS.values() if check.measures and check.id not in ("P426",)]


@pytest.fixture
def hosts(scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The room's hosts as a scene whose facts are sound, and nothing is measured yet."""
    monkeypatch.setattr(measuring, "ETCD", str(tmp_path / "etcd"))
    scene.ask("  w1: {address: 192.0.2.21, groups: [worker]}\n", "")
    del scene.facts["w1"]
    scene.measured = {}
    return scene


async def found(room: Any, scene: Any) -> dict[str, str]:
    """What is not sound, by check and subject."""
    evidence = await measuring.measure(room.hosts, scene.evidence())
    assert not evidence.unmeasured
    return {f"{one.check} {one.subject}": one.found for one in judge(evidence, BETWEEN) if one.level != "sound"}


@pytest.mark.integration
async def test_a_sound_network_is_found_sound_and_left_as_it_was(room: Any, hosts: Any, tmp_path: Path) -> None:
    before = room.links()
    evidence = await measuring.measure(room.hosts, hosts.evidence())
    assert not evidence.unmeasured
    findings = judge(evidence, BETWEEN)
    assert [one for one in findings if one.level == "error"] == []
    subjects = {check: sorted(one.subject for one in findings if one.check == check) for check in CHECKS}
    pairs = sorted(f"{a} → {b}" for a in room.hosts for b in room.hosts if a != b)
    assert subjects["P421"] == subjects["P422"] == subjects["P423"] == subjects["P424"] == pairs
    for number in ("P003", "P312", "P313", "P425", "P504", "P505"):
        assert subjects[number] == ["cp1", "cp2", "cp3"], number
    assert room.links() == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
async def test_faults_of_the_network_are_found_where_they_are(room: Any, hosts: Any) -> None:
    room.hosts["cp2"].run("ip", "route", "add", "blackhole", "192.0.2.11/32")  # no answer to cp1 leaves cp2
    room.hosts["cp3"].run("ip", "link", "set", "eth0", "mtu", "1400")
    room.switch.run("ip", "address", "add", "192.0.2.100/24", "dev", "br0")
    faults = await found(room, hosts)
    assert faults["P421 cp1 → cp2"].startswith("6443 (API server) silent, 2379 (etcd for API servers) silent")
    assert faults["P422 cp1 → cp2"] == "silent"
    assert faults["P423 cp1 → cp3"] == "1500 bytes: silent"
    assert faults["P424 cp2 → cp1"] == "not heard"
    assert "P421 cp1 → cp3" not in faults
    assert "P424 cp3 → cp1" not in faults
    assert re.fullmatch(r"192\.0\.2\.100: ([0-9a-f]{2}:){5}[0-9a-f]{2}", faults["P425 cp1"])


@pytest.mark.integration
async def test_on_members_nothing_listens_and_no_disk_is_tried(room: Any, hosts: Any) -> None:
    for host in room.hosts:
        hosts.member(host)
    evidence = await measuring.measure(room.hosts, hosts.evidence())
    tcp = [line for said in evidence.measured.values() for line in said.all("tcp")]
    assert len(tcp) == 6 * 5
    assert all(line.endswith(" refused") for line in tcp)
    assert not any(said.all(key) for said in evidence.measured.values() for key in ("udp", "vrrp_from", "sync_us"))
    assert [one for one in judge(evidence, BETWEEN) if one.level == "error"] == []


@pytest.mark.integration
async def test_a_host_without_python_is_told_and_the_others_are_measured(
    room: Any, hosts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = hosts.drop("cp1", "program", "python3").evidence()
    assert "cp1" not in (await measuring.measure(room.hosts, evidence)).measured
    broken = room.hosts["cp2"]
    monkeypatch.setitem(room.hosts, "cp2", type(broken)("cp2", 2**30))  # a process that is not there
    evidence = await measuring.measure(room.hosts, evidence)
    assert list(evidence.measured) == ["cp3"]
    assert evidence.unmeasured["cp2"].startswith("measuring ended early: nsenter: ")


def test_the_script_needs_only_what_python_minimal_has() -> None:
    tree = ast.parse(measuring.SCRIPT)
    names = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= MINIMAL
    assert measuring.SCRIPT.isascii()


@pytest.mark.parametrize("sent", [b"", b"00", b"   10000half", b"       0", b"       5pass\n"])
def test_an_input_that_ends_ends_the_process(sent: bytes) -> None:
    done = subprocess.run([sys.executable, "-IS", "-c", measuring.START], input=sent, timeout=10, capture_output=True)
    assert b"complete" not in done.stdout


def test_the_process_ends_with_its_input_and_its_sockets_with_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    plan = {"address": "127.0.0.1", "listen": [port], "echo": 0, "vrrp": [], "alarm_s": 30}
    text = f"{len(measuring.SCRIPT):8d}{measuring.SCRIPT.decode()}{plan!r}\n"
    process = subprocess.Popen(
        [sys.executable, "-IS", "-c", measuring.START], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(text.encode())
    process.stdin.flush()
    assert process.stdout.readline() == b"ready=yes\n"
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_syncs_are_counted_and_leave_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    on_host.sync(str(tmp_path / "not" / "there"), 20, 5.0)
    said = capfd.readouterr().out
    assert (found := re.fullmatch(r"sync_us=20 (\d+) (\d+) (\d+)\n", said)), said
    assert int(found[1]) <= int(found[2]) <= int(found[3])
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    on_host.sync("/proc/self", 20, 5.0)
    assert capfd.readouterr().out.startswith("sync_error=")
