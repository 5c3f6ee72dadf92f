"""How to reach a cluster on hosts from here: the administrator's credentials, fetched from a control plane."""

from __future__ import annotations

from ...hosts.failure import HostError
from ...hosts.fleet import fleet
from ...hosts.inventory import Inventory
from . import paths


async def administrator(inventory: Inventory) -> str:
    """The kubeconfig of the administrator, from the first control plane that has it. Raises :class:`HostError`."""
    last: HostError | None = None
    async with fleet(inventory, only=[host.name for host in inventory.control_planes]) as reached:
        for host in reached.hosts:
            content = await host.read(paths.ADMIN)
            if content is not None:
                return content.decode()
            last = HostError(
                host.name, f"{paths.ADMIN} is not there; bring the cluster up: idcbench up {inventory.path}"
            )
        raise last or next(iter(reached.unreached.values()))
