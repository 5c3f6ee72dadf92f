"""Take a cluster off its hosts and leave them as they were found."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import UsageError
from ...hosts.fleet import fleet
from ...hosts.inventory import Inventory
from ...hosts.ssh import SshHost
from . import leaving
from .lock import locked
from .remote import run_step
from .upping import probe
from .wanted import managed_paths

RESTORE_S = 300.0


async def take_down(inventory: Inventory, *, confirm: str, say: Callable[[str], None]) -> None:
    """Remove everything of the cluster from every host. ``confirm`` has to be the name of the cluster that is there.

    Can be run again after it was cut off. Raises :class:`UsageError` when the name is another,
    :class:`~idcbench.errors.ClusterError` for hosts of another cluster, and what a host says when a step fails.
    """
    if confirm != inventory.name:
        raise UsageError(
            f"this removes cluster {inventory.name} with all its data; repeat its name to confirm: --confirm "
            f"{inventory.name}" + (f" (found {confirm!r})" if confirm else "")
        )
    async with fleet(inventory) as reached:
        reached.check()
        async with locked(reached.hosts, doing="down"):
            await probe(reached, say=say)

            (await reached.each(lambda host: leave(inventory, host, say=say))).check()


async def leave(inventory: Inventory, host: SshHost, *, say: Callable[[str], None]) -> None:
    """Take everything of the cluster off one host, and put back what was there before."""
    done = await run_step(host, "restore", leaving.restore(managed_paths(inventory, host.entry)), limit_s=RESTORE_S)
    await host.run("sh", "-c", leaving.FORGET)
    say(f"{host.name}: {done.output.strip().splitlines()[-1]}")
