"""The real thing: hosts in containers, made, broken, removed. One small lab for all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import asyncssh
import docker
import pytest

from idcbench.progress import silent
from idcbench.provisioning.embedded.prerequisites import search_path
from idcbench.provisioning.lab import engine
from idcbench.provisioning.lab.lab import Lab
from idcbench.provisioning.lab.machines import LAB
from idcbench.provisioning.lab.spec import LabSpec

pytestmark = [
    pytest.mark.integration,
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(
        shutil.which("dockerd", path=search_path()) is None and not os.environ.get("DOCKER_HOST"),
        reason="no Docker engine on this machine",
    ),
]
SPEC = LabSpec(hosts=2, control_planes=1, cpus=1, memory="512m")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        one = Lab(f"test-{os.getpid()}")
        try:
            one.up(SPEC, setup_runtime=True)
            yield one
        finally:
            one.down()
            assert objects(one.name) == []


def objects(name: str) -> list[str]:
    """Everything in the engine that bears the lab's label."""
    client: docker.DockerClient = engine.connect(silent)
    mine = {"label": f"{LAB}={name}"}
    try:
        found = [
            *client.containers.list(all=True, filters=mine, ignore_removed=True),
            *client.networks.list(filters=mine),
        ]
        return [one.name for one in [*found, *client.volumes.list(filters=mine)]]
    finally:
        client.close()


async def ssh(lab: Lab, host: str, command: str) -> str:
    """As an administrator would: by the files beside the inventory, host keys strictly checked."""
    where = str(lab.host(host).address)
    files = lab.files
    async with asyncssh.connect(
        where, username="ops", client_keys=[str(files.key)], known_hosts=str(files.known_hosts), config=None,
        connect_timeout=3, login_timeout=3,
    ) as connection:  # fmt: skip
        return str((await connection.run(command, check=True)).stdout).strip()


def power(lab: Lab, host: str) -> tuple[str, str]:
    return next((one.power, one.network) for one in lab.status() if one.host.name == host)


async def test_a_host_is_a_machine_of_its_own_without_a_way_out(lab: Lab) -> None:
    assert await ssh(lab, "cp1", "hostname; whoami; sudo -n whoami") == "cp1\nops\nroot"
    assert await ssh(lab, "cp1", "cat /etc/machine-id") != await ssh(lab, "w1", "cat /etc/machine-id")
    assert "1" in await ssh(lab, "cp1", "grep -c nameserver /etc/resolv.conf")
    assert await ssh(lab, "w1", "findmnt -n -o TARGET /etc/hosts || echo none") == "none"


def test_up_again_changes_nothing(lab: Lab) -> None:
    before = lab.files.known_hosts.read_text()
    assert lab.up(None) == []
    assert lab.files.known_hosts.read_text() == before


async def test_power_off_and_on_keeps_the_disk_and_the_identity(lab: Lab) -> None:
    await ssh(lab, "w1", "echo kept | sudo tee /var/kept /etc/kept; sync")
    lab.stop("w1")
    lab.stop("w1")
    assert power(lab, "w1") == ("off", "")
    lab.start("w1")
    assert await ssh(lab, "w1", "cat /var/kept /etc/kept") == "kept\nkept"


async def test_a_frozen_host_goes_on_where_it_stood(lab: Lab) -> None:
    boot = await ssh(lab, "w1", "cut -d. -f1 /proc/1/stat | cut -d' ' -f22")
    lab.freeze("w1")
    assert power(lab, "w1") == ("frozen", "")
    with pytest.raises((TimeoutError, OSError, asyncssh.Error)):
        await ssh(lab, "w1", "true")
    lab.thaw("w1")
    assert await ssh(lab, "w1", "cut -d. -f1 /proc/1/stat | cut -d' ' -f22") == boot


def test_power_can_be_cut_while_frozen(lab: Lab) -> None:
    lab.freeze("w1")
    lab.stop("w1")
    assert power(lab, "w1") == ("off", "")
    lab.start("w1")
    assert power(lab, "w1") == ("on", "up")


async def test_a_cut_network_is_silent_and_heals(lab: Lab) -> None:
    lab.cut("w1")
    assert power(lab, "w1") == ("on", "cut")
    assert list(lab.exec("w1", ["cat", "/sys/class/net/eth0/carrier"])) == [(b"1\n", None), 0]
    with pytest.raises((TimeoutError, OSError, asyncssh.Error)):
        await ssh(lab, "w1", "true")
    lab.heal("w1")
    assert await ssh(lab, "w1", "hostname") == "w1"


async def test_a_wiped_host_is_as_new_at_its_address(lab: Lab) -> None:
    await ssh(lab, "w1", "sudo touch /var/mark /etc/mark")
    before = lab.files.known_hosts.read_text()
    lab.wipe("w1")
    assert lab.files.known_hosts.read_text() != before
    assert await ssh(lab, "w1", "ls /var/mark /etc/mark 2>/dev/null || echo gone") == "gone"


def test_killed_in_the_middle_it_leaves_nothing_after_down(lab: Lab) -> None:
    other = Lab(lab.name + "-killed")
    argv = [sys.executable, "-m", "idcbench.cli.main", "lab", "up", "--name", other.name, "--memory", "256m"]
    try:
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            until = time.monotonic() + 30
            while not any("cp1" in name for name in objects(other.name)) and time.monotonic() < until:
                time.sleep(0.02)
            process.kill()
        assert objects(other.name) != []
    finally:
        assert other.down()
    assert objects(other.name) == []
    assert not other.down()
    assert any("cp1" in name for name in objects(lab.name))
