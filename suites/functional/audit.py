"""What the API servers wrote into their audit logs, read on their hosts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from idcbench.kube.waiting import wait_until
from idcbench.plugin.live import LiveHost

from .commands import flags

Entry = dict[str, Any]
WRITTEN_WITHIN_S = 15.0


def log_of(host: LiveHost) -> str:
    """The path of a host's audit log. Skips where none is written."""
    path = flags(host, "kube-apiserver").get("audit-log-path", "")
    if path in ("", "-"):
        pytest.skip(f"needs an audit log in a file; the API server on {host.name} writes none (--audit-log-path)")
    return path


def entries(hosts: Sequence[LiveHost], text: str) -> list[Entry]:
    """The lines of all audit logs that hold ``text``."""
    found = []
    for host in hosts:
        answer = host.run("grep", "-F", "--", text, log_of(host))
        if answer.exit_code > 1:  # 1: no such line
            answer.check()
        found += [json.loads(line) for line in answer.stdout.splitlines()]
    return found


def wait_for_entry(hosts: Sequence[LiveHost], text: str, fits: Callable[[Entry], bool], *, what: str) -> Entry:
    """Wait until an entry with ``text`` fits; the entry."""

    def check() -> tuple[Entry | None, str]:
        found = entries(hosts, text)
        fitting = [entry for entry in found if fits(entry)]
        seen = "; ".join(f"{entry['verb']} {entry['requestURI']}" for entry in found[-5:])
        return (fitting[0] if fitting else None), f"{len(found)} lines with {text}: {seen}"

    return wait_until(f"the audit log to tell {what}", check, timeout_s=WRITTEN_WITHIN_S)
