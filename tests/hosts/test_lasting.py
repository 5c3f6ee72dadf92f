"""A host that outlives its connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from idcbench.hosts.failure import HostError
from idcbench.hosts.inventory import EndpointSettings, Inventory, NetworkSettings
from idcbench.hosts.lasting import LastingHost


@pytest.fixture
def lasting(server: Any) -> LastingHost:
    inventory = Inventory(
        path=Path("room.yaml"), name="room", endpoint=EndpointSettings(mode="external", address="here"),
        network=NetworkSettings(), hosts=(server.entry,),
    )  # fmt: skip
    return LastingHost(inventory=inventory, entry=server.entry)


async def test_the_first_command_after_a_connection_ended_unseen_is_given_on_a_new_one(lasting: LastingHost) -> None:
    before = await lasting.connected()
    assert (await lasting.run("echo", "one")).stdout == "one\n"
    transport = before.connection.get_extra_info("socket")
    transport.shutdown(2)
    assert (await lasting.run("echo", "two")).stdout == "two\n"
    assert await lasting.connected() is not before
    await lasting.close()


async def test_a_host_that_is_gone_is_told_each_time_and_taken_when_it_is_back(
    lasting: LastingHost, server: Any
) -> None:
    server.process.kill()
    server.process.wait()
    for _ in range(2):
        with pytest.raises(HostError, match="refuses connections"):
            await lasting.run("true")
    await lasting.close()
