"""What switches a host's power, and which driver an inventory names for it."""

from __future__ import annotations

from typing import Protocol

from ...errors import ClusterError
from ...hosts.inventory import HostEntry, Inventory
from .command import CommandPower
from .ipmi import IpmiPower
from .lab import LabPower
from .redfish import RedfishPower


class PowerDriver(Protocol):
    """Switches one host; ``off`` asks nobody inside.

    Each verb returns when it is so. Raises :class:`~.failure.PowerError`, in a lab
    :class:`~idcbench.provisioning.lab.failure.LabError`.
    """

    async def off(self) -> None: ...
    async def on(self) -> None: ...
    async def is_on(self) -> bool: ...


def driver_of(inventory: Inventory, entry: HostEntry) -> PowerDriver:
    """The driver of a host. Raises :class:`ClusterError` when its inventory names none."""
    power = entry.power
    if power is None:
        raise ClusterError(
            f"host {entry.name}: nothing says how its power is switched; give it `power` in the inventory"
        )
    match power.driver:
        case "lab":
            return LabPower(lab=inventory.name, host=entry.name)
        case "command":
            return CommandPower(host=entry.name, power=power)
        case "ipmi":
            return IpmiPower(host=entry.name, power=power)
        case "redfish":
            return RedfishPower(host=entry.name, power=power)
