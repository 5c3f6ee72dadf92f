"""Power by Redfish, against a management controller that speaks it over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from idcbench.hosts.inventory import Power
from idcbench.hosts.secret import Secret
from idcbench.provisioning.power.failure import PowerError
from idcbench.provisioning.power.redfish import RedfishPower

SYSTEM = "/redfish/v1/Systems/1"


class Controller:
    """One system; each change of power takes ``delay`` questions to happen, as it does in a real machine."""

    def __init__(self) -> None:
        self.state = "On"
        self.coming: list[str] = []
        self.resets: list[str] = []
        self.systems = [SYSTEM]

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/redfish/v1/Systems", self._listed)
        application.router.add_get(SYSTEM, self._system)
        application.router.add_post(f"{SYSTEM}/Actions/Reset", self._reset)
        return application

    def _refuse(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != "Basic YWRtaW46c2VzYW1l":
            raise web.HTTPUnauthorized(text="no")

    async def _listed(self, request: web.Request) -> web.Response:
        self._refuse(request)
        return web.json_response({"Members": [{"@odata.id": each} for each in self.systems]})

    async def _system(self, request: web.Request) -> web.Response:
        self._refuse(request)
        if self.coming:
            self.state = self.coming.pop(0)
        actions = {"#ComputerSystem.Reset": {"target": f"{SYSTEM}/Actions/Reset"}}
        return web.json_response({"PowerState": self.state, "Actions": actions})

    async def _reset(self, request: web.Request) -> web.Response:
        self._refuse(request)
        body: dict[str, Any] = await request.json()
        self.resets.append(body["ResetType"])
        self.coming = [self.state, "Off" if body["ResetType"] == "ForceOff" else "On"]
        return web.Response(status=204)


@pytest.fixture
async def served() -> AsyncIterator[tuple[Controller, str]]:
    controller = Controller()
    runner = web.AppRunner(controller.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield controller, f"http://127.0.0.1:{port}"
    await runner.cleanup()


def driver(address: str, monkeypatch: pytest.MonkeyPatch, password: str = "sesame") -> RedfishPower:
    monkeypatch.setenv("BMC", password)
    given = Power(driver="redfish", address=address, user="admin", password=Secret("env", "BMC"))
    return RedfishPower(host="w1", power=given)


async def test_it_is_forced_off_and_switched_on(
    served: tuple[Controller, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    controller, address = served
    power = driver(address, monkeypatch)
    assert await power.is_on()
    await power.off()
    assert not await power.is_on()
    await power.off()
    await power.on()
    assert await power.is_on()
    assert controller.resets == ["ForceOff", "On"]


async def test_a_wrong_password_is_told(served: tuple[Controller, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PowerError, match="refuses GET /redfish/v1/Systems: 401"):
        await driver(served[1], monkeypatch, "wrong").is_on()


async def test_several_systems_are_one_too_many(
    served: tuple[Controller, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served[0].systems = [SYSTEM, SYSTEM]
    with pytest.raises(PowerError, match="has 2 systems; one is wanted"):
        await driver(served[1], monkeypatch).is_on()


async def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PowerError, match=r"127\.0\.0\.1:9 does not answer"):
        await driver("http://127.0.0.1:9", monkeypatch).is_on()
