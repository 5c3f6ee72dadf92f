"""Create a workload, once: layer by layer, on many connections of the lean client."""

from __future__ import annotations

import msgspec

from idcbench.kube.access import Access
from idcbench.measure.load import Load, pool
from idcbench.progress import Progress, silent

from .paths import collection
from .workload import Workload

CONNECTIONS = 64


async def create(access: Access, workload: Workload, *, progress: Progress = silent) -> dict[str, Load]:
    """Create every object, and give what each layer took. Raises :class:`~idcbench.measure.load.LoadError`."""
    encode = msgspec.json.Encoder().encode
    took: dict[str, Load] = {}
    async with pool(access, size=CONNECTIONS) as clients:
        for layer, objects in workload.layers():
            progress(f"{workload.name}: creating {layer}")
            took[layer] = await clients.closed_loop(
                [clients.request("POST", collection(one), encode(one))] for one in objects
            )
    return took
