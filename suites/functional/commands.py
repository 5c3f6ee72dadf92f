"""The command lines of control-plane components as they run on their hosts."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from idcbench.plugin.live import LiveHost

ADVERTISING = ("advertise-address", "advertise-client-urls")
"""The flags by which an API server and an etcd say under which address of their host they are to be reached."""


def flags(host: LiveHost, component: str) -> dict[str, str]:
    """The flags of a component on a host. Skips when it does not run there as a process of its own."""
    found = host.run("ps", "-eww", "-o", "args=").check().stdout
    parsed = parse_flags(found, component, host.address)
    if not parsed and component == "etcd" and _keeps_its_own_etcd(found, host.address):
        pytest.fail(f"etcd is not running on host {host.name}, though the API server there keeps its data in it")
    if not parsed:
        pytest.skip(f"needs {component} as a process on host {host.name}, to read its flags; there is none")
    return parsed


def parse_flags(processes: str, component: str, address: str) -> dict[str, str]:
    """The flags of ``component`` in the output of ps(1), one process a line; empty when it is not there.

    Hosts may share their processes: of several, the one that advertises the host's address is meant.
    """
    lines = [line.split() for line in processes.splitlines() if line.split()]
    parsed = [_flags(words[1:]) for words in lines if words[0].rpartition("/")[2] == component]
    own = [flags for flags in parsed if any(_names(flags.get(flag, ""), address) for flag in ADVERTISING)]
    return own[0] if own else parsed[0] if len(parsed) == 1 else {}


def _keeps_its_own_etcd(processes: str, address: str) -> bool:
    """Whether the host's API server says that its etcd is on the same host."""
    servers = parse_flags(processes, "kube-apiserver", address).get("etcd-servers", "")
    return any(f"//{own}:" in servers for own in (address, "127.0.0.1", "localhost"))


def _flags(words: list[str]) -> dict[str, str]:
    pairs = (word.removeprefix("--").partition("=") for word in words if word.startswith("--"))
    return {name: value for name, _, value in pairs}


def _names(value: str, address: str) -> bool:
    """Whether the value is the address, or a list of URLs with one of it."""
    return any(part == address or urlsplit(part).hostname == address for part in value.split(","))
