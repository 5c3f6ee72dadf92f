"""How to reach a cluster on hosts from here: the administrator's credentials, fetched from a control plane."""

from __future__ import annotations

from ...hosts.failure import HostError
from ...hosts.fleet import fleet
from ...hosts.inventory import HostEntry, Inventory
from ..controlplane.endpoint import API_PORT
from . import paths
from .configuration import endpoint_of


async def administrator(inventory: Inventory) -> str:
    """The kubeconfig of the administrator, from the first control plane that has it. Raises :class:`HostError`."""
    last: HostError | None = None
    async with fleet(inventory, only=[host.name for host in inventory.control_planes]) as reached:
        for host in reached.hosts:
            content = await host.read(paths.ADMIN)
            if content is not None:
                return _from_outside(content.decode(), inventory, host.entry)
            last = HostError(
                host.name, f"{paths.ADMIN} is not there; bring the cluster up: idcbench up {inventory.path}"
            )
        raise last or next(iter(reached.unreached.values()))


def _from_outside(kubeconfig: str, inventory: Inventory, host: HostEntry) -> str:
    """With ``local-lb`` the hosts' balancers serve their own host alone: then by the API server of ``host``."""
    if inventory.endpoint.mode != "local-lb":
        return kubeconfig
    return kubeconfig.replace(f"https://{endpoint_of(inventory)}", f"https://{host.node_address}:{API_PORT}")
