"""The certificates of the hosts: until when they are good, and made anew by kubeadm before they are not."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

from ...hosts.fleet import fleet
from ...hosts.inventory import Inventory
from ...hosts.ssh import SshHost
from ..facts.facts import Facts
from ..facts.gather import gather
from . import scripts
from .lock import locked
from .remote import run_step

RENEW_S = 300.0
RENEW = """\
kubeadm certs renew all
# a container that is stopped is started by kubelet at once, and reads the new files
for name in etcd kube-apiserver kube-controller-manager kube-scheduler; do
    crictl ps -q --state Running --name "^$name\\$" | xargs -r crictl stop --timeout 10
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """One certificate on one host; ``is_authority``: it signs others, and nobody renews it by itself."""

    host: str
    path: str
    until: datetime
    is_authority: bool

    def left(self, now: datetime) -> timedelta:
        return self.until - now


async def expiries(inventory: Inventory) -> list[Expiry]:
    """Of all hosts that are reached, the first to expire first. Raises what a host says that cannot be asked."""
    async with fleet(inventory) as reached:
        reached.check()
        found = (await gather(reached, paths=lambda _: ())).check()
    all_of_them = [one for host, facts in found.items() for one in expiries_of(host, facts)]
    return sorted(all_of_them, key=lambda one: (one.until, one.host, one.path))


def expiries_of(host: str, facts: Facts) -> list[Expiry]:
    """From what a host said of itself; a file that is no certificate is passed over, preflight names it."""
    found = []
    for path, text in facts.pairs("certificate").items():
        try:
            one = x509.load_der_x509_certificate(base64.b64decode(text))
        except (ValueError, binascii.Error):
            continue
        signs = path.endswith("ca.crt")
        found.append(Expiry(host=host, path=path, until=one.not_valid_after_utc, is_authority=signs))
    return found


async def renew(inventory: Inventory, *, say: Callable[[str], None]) -> None:
    """New certificates on every control plane, one after the other, each answering again before the next.

    kubelets renew their own. Raises :class:`~.remote.StepError` with the host, and stops there.
    """
    async with fleet(inventory, only=[host.name for host in inventory.control_planes]) as reached:
        reached.check()
        async with locked(reached.hosts, doing="certs renew"):
            for host in reached.hosts:
                await _renew(host, say=say)


async def _renew(host: SshHost, *, say: Callable[[str], None]) -> None:
    done = await run_step(host, "certs-renew", RENEW + scripts.until_ready(host.address), limit_s=RENEW_S)
    say(f"{host.name}: certificates renewed, its API server answers again after {done.seconds:.1f} s")


def now() -> datetime:
    return datetime.now(UTC)
