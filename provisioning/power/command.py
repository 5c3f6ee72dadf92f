"""Power by commands of the operator's own: a switched socket, a hypervisor, a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...hosts.inventory import Power
from . import program
from .failure import PowerError

LIMIT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPower:
    """``off`` and ``on`` end with 0 when it is so; ``status`` ends with 0 for on, with 1 for off."""

    host: str
    power: Power

    async def off(self) -> None:
        await self._do("off", self.power.off)

    async def on(self) -> None:
        await self._do("on", self.power.on)

    async def is_on(self) -> bool:
        ended = await program.run(self.host, self.power.status, timeout_s=LIMIT_S)
        if ended.exit_code not in (0, 1):
            why = f"power.status ended with {ended.exit_code}, 0 is on and 1 is off: {ended.said}"
            raise PowerError(self.host, why)
        return ended.exit_code == 0

    async def _do(self, verb: str, argv: Sequence[str]) -> None:
        ended = await program.run(self.host, argv, timeout_s=LIMIT_S)
        if ended.exit_code:
            raise PowerError(self.host, f"power.{verb} ended with {ended.exit_code}: {ended.said}")
