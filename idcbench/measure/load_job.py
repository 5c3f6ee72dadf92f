"""One pod of a load that is an Indexed Job; the same generator as on one machine.

    python -m idcbench.measure.load_job

Environment: ``JOB_COMPLETION_INDEX`` (set by Kubernetes), ``IDC_LOAD_COMPLETIONS``, ``IDC_LOAD_START`` (when the plan
begins, in seconds since 1970, the same in all pods), ``IDC_LOAD_PLAN`` (a file with a :class:`~.job_plan.JobPlan` in
JSON). It opens its connections, waits for the start, sends its share and prints one line (:mod:`.job_result`).
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..kube.access import Access
from .clock import ClockPair
from .instrument import be_punctual
from .job_plan import JobPlan
from .job_result import LoadJobError, line_of
from .load_process import open_loop
from .overhead import CpuMeter

INDEX, COMPLETIONS = "JOB_COMPLETION_INDEX", "IDC_LOAD_COMPLETIONS"
START, PLAN = "IDC_LOAD_START", "IDC_LOAD_PLAN"
SERVER = "IDC_LOAD_SERVER"
"""The URL to load; without it the API server as pods see it."""
CREDENTIALS = "IDC_LOAD_CREDENTIALS"
SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where Kubernetes puts ``token`` and ``ca.crt`` of the pod's service account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What this pod has to do."""

    index: int
    completions: int
    start_unix_s: float
    plan: JobPlan
    access: Access

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Part:
        """Raises :class:`LoadJobError` naming the variable or the file that is missing or wrong."""
        try:
            index, completions = int(environment[INDEX]), int(environment[COMPLETIONS])
            start_unix_s, path = float(environment[START]), Path(environment[PLAN])
            plan = msgspec.json.decode(path.read_bytes(), type=JobPlan)
        except KeyError as error:
            raise LoadJobError(
                f"{error.args[0]} is wanted in the environment; the manifest of the Job sets it"
            ) from None
        except (OSError, ValueError) as error:
            raise LoadJobError(f"{INDEX}, {COMPLETIONS}, {START} or {PLAN} is wrong: {error}") from error
        if not 0 <= index < completions:
            raise LoadJobError(f"{INDEX} from 0 to {completions - 1} is wanted; found {index}")
        return cls(
            index=index, completions=completions, start_unix_s=start_unix_s, plan=plan, access=pod_access(environment)
        )


def pod_access(environment: Mapping[str, str]) -> Access:
    """How a pod reaches the API server. Raises :class:`LoadJobError` outside of a cluster."""
    server = environment.get(SERVER, "")
    if not server:
        try:
            host, port = environment["KUBERNETES_SERVICE_HOST"], environment["KUBERNETES_SERVICE_PORT"]
        except KeyError as error:
            raise LoadJobError(f"{error.args[0]} is not set: this is no pod; set {SERVER}") from None
        server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    folder = Path(environment.get(CREDENTIALS, SERVICE_ACCOUNT))
    files = [
        path if (path := folder / name).exists() else None for name in ("ca.crt", "token", "client.crt", "client.key")
    ]
    return Access(
        server=server, kubeconfig=Path(), ca_file=files[0], token_file=files[1], cert_file=files[2], key_file=files[3]
    )


async def send(part: Part) -> bytes:
    """Send the share at its times; the pod's line. Raises :class:`LoadJobError` when it is too late to begin."""
    plan = part.plan
    share = plan.share(part.index, part.completions)
    try:
        loop = open_loop(part.access, plan.calls, server="", http=plan.http,
                         connections=plan.connections, deadline_s=plan.deadline_s)  # fmt: skip
        await loop.open()
    except (OSError, ssl.SSLError) as error:
        raise LoadJobError(f"{part.access.server}: no connection: {error or type(error).__name__}") from error
    try:
        start_ns = ClockPair.read().monotonic_of(round(part.start_unix_s * 1e9))
        if (late_ns := time.monotonic_ns() - start_ns) > 0:
            raise LoadJobError(
                f"the load was to begin {late_ns / 1e9:.1f} s before pod {part.index} was ready; "
                "give the Job a later start"
            )
        meter = CpuMeter.start()
        sent = await loop.run(share.planned_ns, share.numbers, share.calls, start_ns=start_ns)
        return line_of(plan, sent, index=part.index, completions=part.completions, start_unix_s=part.start_unix_s,
                       cpu_share=meter.cpu_share())  # fmt: skip
    finally:
        loop.close()


def main() -> int:
    be_punctual()
    try:
        line = asyncio.run(send(Part.of(os.environ)))
    except LoadJobError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(line + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
