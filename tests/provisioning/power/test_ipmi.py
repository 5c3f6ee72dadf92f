"""Power by IPMI, against OpenIPMI's simulator of a management controller."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from idcbench.hosts.inventory import Power
from idcbench.hosts.secret import Secret
from idcbench.provisioning.power.failure import PowerError
from idcbench.provisioning.power.ipmi import IpmiPower

pytestmark = pytest.mark.skipif(
    not (shutil.which("ipmi_sim") and shutil.which("ipmitool")), reason="needs ipmitool, and ipmi_sim of openipmi"
)
LAN = """\
name "room"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 {port}
  priv_limit admin
  allowed_auths_admin none md2 md5 straight
  guid a123456789abcdefa123456789abcdef
endlan
chassis_control "{chassis} 0x20"
user 2 true "admin" "sesame" admin 10 none md2 md5 straight
"""
EMULATED = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
mc_enable 0x20
"""
CHASSIS = """\
#!/bin/sh
cd {folder}
case $2-$3 in
get-power) echo "power:$(cat power)" ;;
set-power) echo "$4" > power ;;
esac
"""


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[str]:
    """``ADDRESS:PORT`` of a controller that answers; the machine behind it is on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chassis = tmp_path / "chassis"
    (tmp_path / "lan.conf").write_text(LAN.format(port=port, chassis=chassis))
    (tmp_path / "room.emu").write_text(EMULATED)
    (tmp_path / "power").write_text("1")
    (tmp_path / "state").mkdir()
    chassis.write_text(CHASSIS.format(folder=tmp_path))
    chassis.chmod(0o755)
    argv = ["ipmi_sim", "-c", "lan.conf", "-f", "room.emu", "-s", "state", "-n"]
    process = subprocess.Popen(argv, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    yield f"127.0.0.1:{port}"
    process.kill()
    process.wait()


def driver(address: str, monkeypatch: pytest.MonkeyPatch, password: str = "sesame") -> IpmiPower:
    monkeypatch.setenv("BMC", password)
    given = Power(driver="ipmi", address=address, user="admin", password=Secret("env", "BMC"))
    return IpmiPower(host="w1", power=given)


async def test_it_goes_off_and_on(controller: str, monkeypatch: pytest.MonkeyPatch) -> None:
    power = driver(controller, monkeypatch)
    assert await power.is_on()
    await power.off()
    assert not await power.is_on()
    await power.on()
    assert await power.is_on()


async def test_a_wrong_password_is_told_and_shown_to_nobody(controller: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PowerError, match=r"host w1: its management controller .* refuses") as caught:
        await driver(controller, monkeypatch, "not-that-one").is_on()
    assert "not-that-one" not in str(caught.value)
