"""A scheduler in a process of its own, that tests may kill and freeze: ``process.py ACCESS.pickle IDENTITY``."""

from __future__ import annotations

import asyncio
import logging
import pickle
import signal
import sys
from pathlib import Path

from little_engine import LittleEngine

from idcbench.scheduler.service.measures import Tally
from idcbench.scheduler.service.service import SchedulerService
from idcbench.scheduler.service.settings import LeaseSettings, ServiceSettings, WriteSettings

LEASE_S, RENEW_S, RETRY_S, LIMIT_S = 5.0, 4.0, 1.0, 2.0


class Speaking(Tally):
    """Says on standard output when the lease is won or lost."""

    def leading(self, leader: bool) -> None:
        print("leading" if leader else "following", flush=True)


async def main(access_file: Path, identity: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = ServiceSettings(
        lease=LeaseSettings(identity=identity, duration_s=LEASE_S, renew_deadline_s=RENEW_S, retry_s=RETRY_S),
        write=WriteSettings(request_limit_s=LIMIT_S),
    )
    service = SchedulerService(pickle.loads(access_file.read_bytes()), LittleEngine(), settings, Speaking())
    run = asyncio.create_task(service.run(stop))
    while not service.filled and not run.done():
        await asyncio.sleep(0.01)
    print("filled", flush=True)
    await run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
