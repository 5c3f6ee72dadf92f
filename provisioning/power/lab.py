"""The power and the cable of a lab's host."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ..lab.lab import Lab


@dataclass(frozen=True, slots=True, kw_only=True)
class LabPower:
    """A host of the lab of that name. Raises :class:`~idcbench.provisioning.lab.failure.LabError`."""

    lab: str
    host: str

    async def off(self) -> None:
        await asyncio.to_thread(Lab(self.lab).stop, self.host)

    async def on(self) -> None:
        await asyncio.to_thread(Lab(self.lab).start, self.host)

    async def is_on(self) -> bool:
        states = await asyncio.to_thread(Lab(self.lab).status)
        return next(one.power for one in states if one.host.name == self.host) == "on"

    async def freeze(self) -> None:
        await asyncio.to_thread(Lab(self.lab).freeze, self.host)

    async def thaw(self) -> None:
        await asyncio.to_thread(Lab(self.lab).thaw, self.host)

    async def cut(self) -> None:
        """Frames vanish, the carrier stays."""
        await asyncio.to_thread(Lab(self.lab).cut, self.host)

    async def unplug(self) -> None:
        """The interface loses its carrier."""
        await asyncio.to_thread(Lab(self.lab).unplug, self.host)

    async def heal(self) -> None:
        """End a cut, put the plug in."""
        await asyncio.to_thread(Lab(self.lab).heal, self.host)
