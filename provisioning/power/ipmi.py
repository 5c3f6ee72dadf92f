"""Power by IPMI 2.0 over the network, with ipmitool."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ...hosts.inventory import Power
from . import program
from .failure import PowerError

LIMIT_S = 30.0
SWITCHED_S = 60.0
ASK_S = 0.5
PATIENCE = ("-N", "2", "-R", "3")
"""Seconds that ipmitool waits for an answer, and how often it asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IpmiPower:
    """The chassis behind a management controller. The password goes by the environment, so no argument holds it."""

    host: str
    power: Power

    async def off(self) -> None:
        await self._ask("chassis", "power", "off")
        await self._until(on=False)

    async def on(self) -> None:
        await self._ask("chassis", "power", "on")
        await self._until(on=True)

    async def is_on(self) -> bool:
        said = await self._ask("chassis", "power", "status")
        if not said.endswith((" on", " off")):
            raise PowerError(self.host, f"ipmitool was to say whether the power is on; it said {said[-100:]!r}")
        return said.endswith(" on")

    async def _until(self, *, on: bool) -> None:
        try:
            async with asyncio.timeout(SWITCHED_S):
                while await self.is_on() != on:
                    await asyncio.sleep(ASK_S)
        except TimeoutError:
            raise PowerError(self.host, f"the power is not {'on' if on else 'off'} after {SWITCHED_S:g} s") from None

    async def _ask(self, *words: str) -> str:
        place, _, port = self.power.address.partition(":")
        argv = (
            "ipmitool",
            "-I",
            "lanplus",
            "-H",
            place,
            "-p",
            port or "623",
            "-U",
            self.power.user,
            "-E",
            *PATIENCE,
            *words,
        )
        secret = self.power.password.reveal() if self.power.password else ""
        ended = await program.run(self.host, argv, timeout_s=LIMIT_S, environment={"IPMI_PASSWORD": secret})
        if ended.exit_code:
            why = f"its management controller {self.power.address} refuses, or does not answer: {ended.said}"
            raise PowerError(self.host, why)
        return ended.output
