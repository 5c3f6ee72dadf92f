"""Asking hosts what they are and have."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.resources import files

from ...hosts.failure import HostError
from ...hosts.fleet import Fleet, Outcome
from ...hosts.ssh import SshHost
from .facts import Facts, FactsError, parse_facts

LIMIT_S = 60.0
SCRIPT = (files(__package__) / "collect.sh").read_bytes()


async def facts_of(host: SshHost, paths: Sequence[str] = ()) -> Facts:
    """What one host is and has, with the state of the files ``paths``.

    Two keys are added of when it was asked: ``asked_ns`` and ``answered_ns``, CLOCK_REALTIME of this machine. Raises
    :class:`HostError`.
    """
    asked_ns = time.time_ns()
    done = await host.run("sh", "-s", "--", *paths, content=SCRIPT, timeout_s=LIMIT_S)
    try:
        found = parse_facts(done.stdout)
    except FactsError as error:
        raise HostError(host.name, str(error)) from None
    return Facts({**found.said, "asked_ns": (str(asked_ns),), "answered_ns": (str(time.time_ns()),)})


async def gather(fleet: Fleet, paths: Callable[[str], Sequence[str]] = lambda _: ()) -> Outcome[Facts]:
    """The same of all hosts, side by side; ``paths`` gives the files that matter on a host, by its name."""
    return await fleet.each(lambda host: facts_of(host, paths(host.name)))
