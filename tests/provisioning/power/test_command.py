"""Power by commands of the operator's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.hosts.inventory import Power
from idcbench.provisioning.power.command import CommandPower
from idcbench.provisioning.power.failure import PowerError


def power(folder: Path, *, off: str = "rm on", status: str = "test -e on") -> CommandPower:
    def shell(script: str) -> tuple[str, ...]:
        return "sh", "-c", f"cd {folder} && {script}"

    (folder / "on").touch()
    given = Power(driver="command", off=shell(off), on=shell("touch on"), status=shell(status))
    return CommandPower(host="w1", power=given)


async def test_it_goes_off_and_on(tmp_path: Path) -> None:
    driver = power(tmp_path)
    assert await driver.is_on()
    await driver.off()
    assert not await driver.is_on()
    await driver.on()
    assert await driver.is_on()


@pytest.mark.parametrize(
    ("off", "said"),
    [("echo no such socket; exit 7", "host w1: power.off ended with 7: no such socket"), ("exit 2", "it said nothing")],
)
async def test_what_fails_is_told_with_the_host_and_its_words(tmp_path: Path, off: str, said: str) -> None:
    with pytest.raises(PowerError, match=said):
        await power(tmp_path, off=off).off()


async def test_a_status_is_on_or_off_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(PowerError, match="0 is on and 1 is off"):
        await power(tmp_path, status="exit 5").is_on()


async def test_a_program_that_is_not_there_is_named() -> None:
    given = Power(driver="command", off=("no-such-program",), on=("true",), status=("true",))
    with pytest.raises(PowerError, match="`no-such-program` cannot be run here"):
        await CommandPower(host="w1", power=given).off()
