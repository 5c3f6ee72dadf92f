"""The certificates of a cluster: until when they are good, and made anew before they are not."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

from ...hosts.failure import HostError
from ...hosts.fleet import fleet
from ...hosts.inventory import Inventory
from ...hosts.ssh import SshHost
from ..facts.facts import Facts
from ..facts.gather import gather
from . import paths, scripts
from .carried import servers
from .kubectl import Kubectl
from .lock import locked
from .remote import run_step
from .sharing import authority_of, shared_by

RENEW_S = 300.0
RENEW = f"""\
kubeadm certs renew all
# a container that is stopped is started by kubelet at once, and reads the new files
for name in {" ".join(paths.STATIC_PODS)}; do
    crictl ps -q --state Running --name "^$name\\$" | xargs -r crictl stop --timeout 10
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """One certificate: on a host, or in a Secret of the cluster. ``renewal`` says who makes a new one."""

    host: str
    path: str
    until: datetime
    renewal: str

    def left(self, now: datetime) -> timedelta:
        return self.until - now


CLUSTER = "(cluster)"
"""Stands for a host where a certificate is in a Secret."""
BY_US, BY_KUBELET, BY_NOBODY = "certs renew", "its kubelet", "none: it signs others"


async def expiries(inventory: Inventory, *, say: Callable[[str], None]) -> list[Expiry]:
    """Of all hosts, and of what the cluster carries, the first to expire first.

    What cannot be asked is told to ``say``, as certificates that have expired make hosts and clusters silent.
    """
    async with fleet(inventory) as reached:
        asked = await gather(reached, paths=lambda _: ())
        for error in (*reached.unreached.values(), *asked.failed.values()):
            say(str(error))
        found = [one for host, facts in asked.done.items() for one in expiries_of(host, facts)]
        planes = [host for host in reached.hosts if host.entry.is_control_plane]
        found += await _of_servers(inventory, planes, say=say)
    return sorted(found, key=lambda one: (one.until, one.host, one.path))


def expiries_of(host: str, facts: Facts) -> list[Expiry]:
    """From what a host said of itself; a file that is no certificate is passed over, preflight names it."""
    found = []
    for path, text in facts.pairs("certificate").items():
        by = BY_NOBODY if path.endswith("ca.crt") else BY_KUBELET if "/kubelet/" in path else BY_US
        try:
            one = x509.load_der_x509_certificate(base64.b64decode(text))
        except (ValueError, binascii.Error):
            continue
        found.append(Expiry(host=host, path=path, until=one.not_valid_after_utc, renewal=by))
    return found


async def _of_servers(
    inventory: Inventory, planes: Sequence[SshHost], *, say: Callable[[str], None]
) -> list[Expiry]:  # fmt: skip
    found = []
    for server in servers(inventory) if planes else ():
        what = (
            "get",
            "secret",
            server.name,
            "-n",
            server.namespace,
            "--ignore-not-found",
            "-o",
            "jsonpath={.data.tls\\.crt}",
        )
        try:
            text = await Kubectl(planes[0]).run(*what)
        except HostError as error:
            say(f"the cluster does not say its own: {error}")
            break
        if text:
            until = x509.load_pem_x509_certificate(base64.b64decode(text)).not_valid_after_utc
            path = f"Secret {server.namespace}/{server.name}"
            found.append(Expiry(host=CLUSTER, path=path, until=until, renewal=BY_US))
    return found


async def renew(inventory: Inventory, *, say: Callable[[str], None]) -> None:
    """New certificates on every control plane, one after the other, each answering again before the next.

    Then for what the cluster carries. kubelets renew their own. Raises :class:`~.remote.StepError` with the host, and
    stops there.
    """
    async with fleet(inventory, only=[host.name for host in inventory.control_planes]) as reached:
        reached.check()
        async with locked(reached.hosts, doing="certs renew"):
            for host in reached.hosts:
                await _renew(host, say=say)
            signer = authority_of(await shared_by(reached.hosts))
            kubectl = Kubectl(reached.hosts[0])
            for server in servers(inventory):
                await kubectl.apply(json.dumps(server.secret(signer)))
                await kubectl.run("rollout", "restart", f"deployment/{server.name}", "-n", server.namespace)
                say(f"cluster: certificate of {server.name} renewed")


async def _renew(host: SshHost, *, say: Callable[[str], None]) -> None:
    done = await run_step(host, "certs-renew", RENEW + scripts.until_ready(host.address), limit_s=RENEW_S)
    say(f"{host.name}: certificates renewed, its API server answers again after {done.seconds:.1f} s")


def now() -> datetime:
    return datetime.now(UTC)
