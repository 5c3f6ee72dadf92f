"""An inventory from its file: every error names the file, the line, what was wanted and what was found."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..choices import LATEST_PATCH, PROFILES, version
from ..yamlfile.text import read_text
from ..yamlfile.values import Section, Value, nearest, parse_document
from .gateway import NAME
from .inventory import (
    ENDPOINT_MODES,
    ROLES,
    SCHEDULERS,
    EndpointSettings,
    HostEntry,
    Inventory,
    NetworkSettings,
    Role,
)
from .inventory_checks import check, check_paths
from .inventory_fields import address, address_or_name, matched, path, read_variables

Variables = Mapping[str, Any]
WANTED = "a mapping with cluster and hosts"


def read_inventory(path: Path) -> Inventory:
    """Read a file, with everything inherited and checked. Raises :class:`~idcbench.errors.UsageError`."""
    inventory, document = _parsed(read_text(path), path=path)
    check_paths(inventory, document=document)
    return inventory


def parse_inventory(text: str, *, path: Path) -> Inventory:
    """The same for a text; ``path`` is what the errors call it and where relative paths count from.

    Keys and secrets need not be there.
    """
    return _parsed(text, path=path)[0]


def _parsed(text: str, *, path: Path) -> tuple[Inventory, Section]:
    folder = path.absolute().parent
    document = parse_document(text, file=str(path), wanted=WANTED)
    cluster = document.need("cluster", what="the cluster's name and endpoint").section()
    defaults = _variables_of(document, "defaults", folder)
    groups = _groups(document, folder)
    hosts = document.need("hosts", what="the machines by name").section()
    entries = {name: _host(name, value, defaults, groups, folder) for name, value in hosts.items()}
    document.close()
    inventory = _inventory(cluster, tuple(entries.values()), path=path, folder=folder)
    check(inventory, document=document)
    return inventory, document


def _inventory(cluster: Section, hosts: tuple[HostEntry, ...], *, path: Path, folder: Path) -> Inventory:
    name = matched(cluster.need("name", what="the cluster's name"), NAME, "up to 63 small letters, digits and -")
    more: dict[str, Any] = {}
    if (value := cluster.take("kubernetes")) is not None:
        more["kubernetes"] = _version(value)
    if (value := cluster.take("profile")) is not None:
        more["profile"] = value.choice(*PROFILES)
    if (value := cluster.take("scheduler")) is not None:
        more["scheduler"] = value.choice(*SCHEDULERS)
    if (value := cluster.take("disruptive")) is not None:
        more["disruptive"] = value.flag()
    endpoint = _endpoint(cluster.need("endpoint", what="the address in front of all API servers").section())
    network = _network(given.section(), folder) if (given := cluster.take("network")) else NetworkSettings()
    cluster.close()
    return Inventory(path=path, name=name, endpoint=endpoint, network=network, hosts=hosts, **more)


def _version(value: Value) -> str:
    try:
        found = version(value.text())
    except ValueError:
        value.fail('a version in quotes such as "1.37" or "1.37.2"')
    known = found in LATEST_PATCH or found.rpartition(".")[0] in LATEST_PATCH
    return found if known else value.fail(f"a version of {', '.join(LATEST_PATCH)}")


def _endpoint(given: Section) -> EndpointSettings:
    mode = value.choice(*ENDPOINT_MODES) if (value := given.take("mode")) else "keepalived"
    place = given.take("address")
    if mode == "local-lb":
        if place is not None:
            place.refuse("each host has a balancer of its own with mode local-lb; leave the address out")
        found = "127.0.0.1"
    else:
        needed = place or given.need("address", what="a free address of the hosts' network")
        found = address_or_name(needed) if mode == "external" else address(needed)
    port = value.whole(least=1, most=65535) if (value := given.take("port")) else 8443
    given.close()
    return EndpointSettings(mode=mode, address=found, port=port)


def _network(given: Section, folder: Path) -> NetworkSettings:
    found: dict[str, Any] = {
        name: _network_of(value) for name in ("pods", "services") if (value := given.take(name)) is not None
    }
    if (value := given.take("plugin")) is not None:
        plugin = value.name()
        found["plugin"] = plugin if plugin in ("flannel", "none") else str(_manifest(value, folder))
    if (value := given.take("domain")) is not None:
        found["domain"] = matched(value, rf"{NAME}(\.{NAME})*", "a DNS domain such as cluster.local")
    given.close()
    return NetworkSettings(**found)


def _manifest(value: Value, folder: Path) -> Path:
    found = path(value, folder)
    return found if found.is_file() else value.fail("flannel, none, or the path of a manifest that is there")


def _network_of(value: Value) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(value.text())
    except ValueError:
        value.fail("an IPv4 network such as 10.244.0.0/16, its host part 0,")


def _groups(document: Section, folder: Path) -> dict[str, Variables]:
    given = document.take("groups")
    groups: dict[str, Variables] = {role: {} for role in ROLES}
    for name, value in given.section().items() if given else ():
        if not name:
            value.refuse("a group's name is wanted; found an empty one")
        groups[name] = {} if value.is_empty else _closed(value.section(), folder)
    return groups


def _variables_of(document: Section, name: str, folder: Path) -> Variables:
    given = document.take(name)
    return _closed(given.section(), folder) if given else {}


def _closed(section: Section, folder: Path) -> Variables:
    found = read_variables(section, folder)
    section.close()
    return found


def _host(
    name: str, value: Value, defaults: Variables, groups: Mapping[str, Variables], folder: Path
) -> HostEntry:  # fmt: skip
    if not re.fullmatch(NAME, name):
        value.refuse(f"{name!r} can be no node's name: up to 63 small letters, digits and - are wanted")
    section = value.section()
    listed = section.need("groups", what="the groups that the host is in (control-plane, worker, …)").items()
    names = tuple(_known(each, groups) for each in listed)
    own = read_variables(section, folder)
    section.close()
    merged = merge([defaults, *(groups[each] for each in names), own])
    roles: frozenset[Role] = frozenset(role for role in ROLES if role in names)
    if not roles:
        value.refuse(f"a role is wanted: put it into group {' or '.join(ROLES)}")
    if "address" not in merged:
        value.refuse("address: where SSH reaches the host is wanted here; found nothing")
    node_address = merged.pop("node_address", merged["address"])
    return HostEntry(name=name, roles=roles, groups=names, node_address=node_address, **merged)


def _known(value: Value, groups: Mapping[str, Variables]) -> str:
    name = value.name()
    if name not in groups:
        value.refuse(f"no group {name!r}{nearest(name, groups)}; there are {', '.join(sorted(groups))}")
    return name


def merge(layers: Sequence[Variables]) -> dict[str, Any]:
    """Later layers go before earlier ones; mappings are merged key by key."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            earlier = merged.get(name)
            merged[name] = earlier | value if isinstance(value, dict) and isinstance(earlier, dict) else value
    return merged
