"""The cluster's API as a control plane reaches it: kubectl there, with the administrator's credentials of that host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...hosts.failure import HostError
from ...hosts.ssh import SshHost
from . import paths


def is_ready(thing: Mapping[str, Any]) -> bool:
    """Whether a node or a pod has the condition Ready."""
    return any(one["type"] == "Ready" and one["status"] == "True" for one in thing["status"].get("conditions", ()))


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Runs on ``host``; what it asks goes through the endpoint, as everybody's requests do."""

    host: SshHost

    async def get(self, *what: str, timeout_s: float = 30.0) -> dict[str, Any]:
        """Objects as JSON. Raises :class:`HostError` with what kubectl said."""
        found: dict[str, Any] = json.loads(await self.run("get", *what, "-o", "json", timeout_s=timeout_s))
        return found

    async def apply(self, manifest: str) -> None:
        """Server-side apply, as the manager ``idcbench``. Raises :class:`HostError`."""
        await self.run("apply", "--server-side", "--force-conflicts", "--field-manager=idcbench", "-f", "-",
                       content=manifest.encode())  # fmt: skip

    async def run(self, *argv: str, content: bytes = b"", timeout_s: float = 60.0) -> str:
        """Raises :class:`HostError` with the last line that kubectl said, and ``TimeoutError``."""
        ours = (f"--kubeconfig={paths.ADMIN}", f"--cache-dir={paths.STATE}/kubectl")
        done = await self.host.run("kubectl", *ours, *argv, content=content, timeout_s=timeout_s)
        if done.exit_code:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise HostError(self.host.name, f"kubectl {argv[0]}: {said[-1] if said else done.exit_code}")
        return done.stdout
