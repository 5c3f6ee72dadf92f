"""testinfra's view of a host of the cluster, over the connection that is there (extra ``testinfra``)."""

from __future__ import annotations

from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from .live import LiveHost

LIMIT_S = 60.0


class LiveBackend(BaseBackend):  # type: ignore[misc]  # testinfra has no types
    """Runs testinfra's commands by :meth:`~idcbench.plugin.live.LiveHost.run`, as root where the inventory says so."""

    NAME = "idcbench"

    def __init__(self, host: LiveHost) -> None:
        super().__init__(host.name)
        self._live = host

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Run a shell command to its end. Raises ``TimeoutError`` after a minute."""
        line = self.get_command(command, *args)
        done = self._live.run("sh", "-c", line, timeout_s=LIMIT_S)
        return self.result(done.exit_code, line.encode(), done.stdout.encode(), done.stderr.encode())


def testinfra_of(host: LiveHost) -> Host:
    """The host as testinfra's modules see it: ``.service(…)``, ``.file(…)``, ``.socket(…)``, ``.sysctl(…)``."""
    backend = LiveBackend(host)
    seen = Host(backend)
    backend.set_host(seen)
    return seen
