"""From a configuration and a profile's times to the settings of the loops."""

from __future__ import annotations

import socket
import uuid
from dataclasses import replace

from idcbench.cluster import Timers

from .config import Configuration
from .settings import LeaseSettings, ServiceSettings, WriteSettings

REQUEST_LIMIT_S = 5.0


def service_settings(configuration: Configuration, timers: Timers, *, elect: bool, identity: str) -> ServiceSettings:
    """The settings of the loops. Lease times come from the file, else from ``timers``.

    A request may last half of what a lease always has left, at most ``REQUEST_LIMIT_S``: a new leader waits so long
    for those of the old one. Raises ``ValueError`` when the times exclude one another.
    """
    said = configuration.election
    write = WriteSettings()
    if configuration.claim_limit_s is not None:
        write = replace(write, claim_limit_s=configuration.claim_limit_s)
    lease = None
    if elect:
        lease = LeaseSettings(
            identity=identity,
            namespace=said.namespace,
            name=said.name,
            duration_s=said.duration_s or timers.lease_s,
            renew_deadline_s=said.renew_deadline_s or timers.renew_s,
            retry_s=said.retry_s or timers.retry_s,
        )
        most_s = (lease.duration_s - lease.retry_s) / 2
        write = replace(write, request_limit_s=min(REQUEST_LIMIT_S, most_s))
    names = tuple(policy.name for policy in configuration.policies)
    return ServiceSettings(scheduler_names=names, lease=lease, queue=configuration.queue, write=write)


def new_identity() -> str:
    """Who this process is in the Lease, as client-go has it: the host's name and a random part."""
    return f"{socket.gethostname()}_{uuid.uuid4()}"
