"""Power by Redfish (DMTF DSP0266): the ComputerSystem.Reset action of the one system behind a management controller."""

from __future__ import annotations

import asyncio
import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from ...hosts.inventory import Power
from .failure import PowerError

LIMIT_S = 30.0
SWITCHED_S = 60.0
ASK_S = 0.5
SYSTEMS = "/redfish/v1/Systems"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedfishPower:
    """The system behind ``address``, by HTTPS; ``http://`` before it takes clear text, which some emulators speak.

    Certificates of management controllers are their own and are not checked, as is usual for them.
    """

    host: str
    power: Power

    async def off(self) -> None:
        await self._reset("ForceOff", "Off")

    async def on(self) -> None:
        await self._reset("On", "On")

    async def is_on(self) -> bool:
        async with self._session() as session:
            return bool((await self._system(session))["PowerState"] == "On")

    async def _reset(self, how: str, wanted: str) -> None:
        async with self._session() as session:
            system = await self._system(session)
            if system["PowerState"] == wanted:
                return
            target = system["Actions"]["#ComputerSystem.Reset"]["target"]
            await self._ask(session, "POST", target, {"ResetType": how})
            try:
                async with asyncio.timeout(SWITCHED_S):
                    while (await self._system(session))["PowerState"] != wanted:
                        await asyncio.sleep(ASK_S)
            except TimeoutError:
                raise PowerError(self.host, f"the power is not {wanted.lower()} after {SWITCHED_S:g} s") from None

    async def _system(self, session: aiohttp.ClientSession) -> dict[str, Any]:
        members = (await self._ask(session, "GET", SYSTEMS)).get("Members", [])
        if len(members) != 1:
            raise PowerError(self.host, f"{self.power.address} has {len(members)} systems; one is wanted")
        system = await self._ask(session, "GET", members[0]["@odata.id"])
        if "PowerState" not in system:
            raise PowerError(self.host, f"{self.power.address} does not say PowerState of its system")
        return system

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        secret = self.power.password.reveal() if self.power.password else ""
        base = self.power.address if "://" in self.power.address else f"https://{self.power.address}"
        async with aiohttp.ClientSession(
            base,
            headers={"Authorization": f"Basic {b64encode(f'{self.power.user}:{secret}'.encode()).decode()}"},
            timeout=aiohttp.ClientTimeout(total=LIMIT_S),
            connector=aiohttp.TCPConnector(ssl=False),
        ) as session:
            yield session

    async def _ask(
        self, session: aiohttp.ClientSession, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            async with session.request(method, path, json=body) as answer:
                text = await answer.text()
                if answer.status >= 400:
                    why = f"{answer.status} {text[:200]}"
                    raise PowerError(self.host, f"its management controller refuses {method} {path}: {why}")
                found: dict[str, Any] = await answer.json(content_type=None) if text.strip() else {}
                return found
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise PowerError(
                self.host, f"its management controller {self.power.address} does not answer: {error or 'too late'}"
            ) from None
