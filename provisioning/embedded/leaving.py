"""What is done before a cluster stops, so that it starts quickly: the controller-manager's lease is given up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from ...kube.access import Access
from ...kube.apierror import ApiError
from ...kube.session import ApiSession
from .control import ask
from .layout import StateDirectory

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"


async def release_lease(state: StateDirectory, access: Access, *, hosts: Sequence[str]) -> None:
    """Stop every controller-manager, then mark its lease as released, in client-go's way of doing so.

    kube-scheduler does that by itself, kube-controller-manager behind a gate of the newest versions only; otherwise
    the next one waits for the whole lease. A cluster that does not answer keeps its lease, which costs that wait.
    """
    component = "kube-controller-manager"
    states = await ask(state.control, "components")
    if any(one["component"] == component for one in states):
        await asyncio.gather(*(ask(state.control, "stop", host=host, component=component) for host in hosts))
        with contextlib.suppress(ApiError):
            async with ApiSession(access, timeout_s=2.0) as api:
                await api.patch(LEASE, {"spec": {"holderIdentity": "", "leaseDurationSeconds": 1}})
