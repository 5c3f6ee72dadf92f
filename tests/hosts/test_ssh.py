"""A host by SSH, against a real sshd: commands, files, time limits, and what is said when it does not work."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace as altered
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import pytest_asyncio

from idcbench.hosts.completed import CommandError
from idcbench.hosts.failure import HostError
from idcbench.hosts.fleet import fleet
from idcbench.hosts.inventory import EndpointSettings, HostEntry, Inventory, NetworkSettings
from idcbench.hosts.ssh import SshHost, reached

# the server's type is in conftest.py, which cannot be imported from here


@pytest_asyncio.fixture
async def host(server: Any) -> AsyncIterator[SshHost]:
    async with reached(server.entry) as reached_host:
        yield reached_host


async def refused(entry: HostEntry) -> str:
    with pytest.raises(HostError) as caught:
        async with reached(entry):
            pass
    return str(caught.value)


async def test_a_command_gives_what_it_wrote_and_its_code(host: SshHost) -> None:
    done = await host.run("sh", "-c", 'cat; echo "to stderr: $1" >&2; exit 3', "x", "it's; $HOME", content=b"in\n")
    assert (done.exit_code, done.stdout, done.stderr) == (3, "in\n", "to stderr: it's; $HOME\n")
    with pytest.raises(CommandError, match="host here: `false` ended with 1: no output"):
        (await host.run("false")).check()


async def test_more_commands_than_channels_run_side_by_side(host: SshHost) -> None:
    done = await asyncio.gather(*(host.run("echo", str(number)) for number in range(40)))
    assert [each.stdout.strip() for each in done] == [str(number) for number in range(40)]


async def test_a_command_that_takes_too_long_is_dead_when_that_is_said(host: SshHost) -> None:
    with pytest.raises(HostError, match="host here: `sleep 4271` did not end within"):
        await host.run("sleep", "4271", timeout_s=0.2)
    assert (await host.run("pgrep", "-f", "[s]leep 4271")).exit_code == 1


async def test_a_command_dies_by_itself_when_the_connection_is_cut(server: Any) -> None:
    async with reached(server.entry) as first, reached(server.entry) as second:
        running = asyncio.create_task(first.run("sleep", "4272", timeout_s=1.0))
        while (await second.run("pgrep", "-f", "[s]leep 4272")).exit_code:
            await asyncio.sleep(0.01)
        first.connection.abort()
        with pytest.raises(HostError, match="the connection ended during `sleep 4272`"):
            await running
        async with asyncio.timeout(10):
            while not (await second.run("pgrep", "-f", "[s]leep 4272")).exit_code:
                await asyncio.sleep(0.05)


async def test_a_file_is_read_byte_by_byte_or_is_not_there(host: SshHost, tmp_path: Path) -> None:
    path, content = tmp_path / "a file", os.urandom(1_000_000)
    assert await host.read(str(path)) is None
    path.write_bytes(content)
    assert await host.read(str(path)) == content


async def test_content_comes_in_pieces_too(host: SshHost, tmp_path: Path) -> None:
    pieces = [bytes([number]) * 70_000 for number in range(5)]
    (await host.run("sh", "-c", 'cat > "$1"', "keep", str(tmp_path / "x"), content=iter(pieces))).check()
    assert (tmp_path / "x").read_bytes() == b"".join(pieces)


async def test_what_does_not_work_is_told_with_what_to_do(server: Any, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    other.write_private_key(tmp_path / "other")
    assert "refuses connections; is sshd running" in await refused(server.but(port=1))
    assert "does not let" in (message := await refused(server.but(key=tmp_path / "other")))
    assert "ssh-copy-id" in message
    (tmp_path / "empty").write_text("")
    assert "ssh-keyscan" in await refused(server.but(known_hosts=tmp_path / "empty"))
    assert "No such file" in await refused(server.but(key=tmp_path / "nowhere"))
    (tmp_path / "junk").write_text("no key")
    assert "cannot be used" in await refused(server.but(key=tmp_path / "junk"))
    assert "no address is known for the name" in await refused(server.but(address="nowhere.invalid"))


async def test_a_key_never_seen_is_learnt_when_asked_and_one_that_changed_is_not(server: Any, tmp_path: Path) -> None:
    learning = server.but(known_hosts=tmp_path / "new" / "known", host_keys="first-use")
    async with reached(learning):
        pass
    async with reached(altered(learning, host_keys="strict")):
        pass
    wrong = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    (tmp_path / "new" / "known").write_text(f"[127.0.0.1]:{server.entry.port} {wrong}")
    assert "its key is not the one in" in await refused(learning)


def inventory_of(*hosts: HostEntry) -> Inventory:
    return Inventory(
        path=Path("i.yaml"),
        name="x",
        endpoint=EndpointSettings(mode="keepalived", address="127.0.0.9"),
        network=NetworkSettings(),
        hosts=hosts,
    )


async def test_a_fleet_is_reached_whole_and_the_ones_that_are_not_are_told(server: Any) -> None:
    down = server.but(name="down", port=1)
    far = server.but(name="far", jump="here")
    inventory = inventory_of(server.entry, down, far)
    async with fleet(inventory) as found:
        assert [host.name for host in found.hosts] == ["here", "far"]
        assert list(found.unreached) == ["down"]
        outcome = await found.each(lambda host: host.run("echo", host.name))
        assert {name: done.stdout.strip() for name, done in outcome.done.items()} == {"here": "here", "far": "far"}
        with pytest.raises(HostError, match="port 1 refuses"):
            found["down"]


async def test_the_way_may_lead_through_a_host_that_is_left_out(server: Any) -> None:
    far = server.but(name="far", jump="here")
    inventory = inventory_of(server.entry, far)
    async with fleet(altered(inventory, hosts=(far,))) as found:
        found.check()
        assert [host.name for host in found.hosts] == ["far"]
