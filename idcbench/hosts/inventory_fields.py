"""The variables of a host: how each is read, and how the published schema describes it. One table for both."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..yamlfile.values import Section, Value
from .gateway import NAME, USER, gateway_of, is_address, is_place
from .inventory import DRIVERS, Power, Taint
from .secret import Secret

LABEL_KEY = r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
LABEL_VALUE = r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?"
TAINT = rf"(?P<key>{LABEL_KEY})(=(?P<value>{LABEL_VALUE}))?:(?P<effect>NoSchedule|PreferNoSchedule|NoExecute)"
SECRET = r"file:.+|env:[A-Za-z_][A-Za-z0-9_]*"
CONTROLLER = r"(https?://)?[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?"
"""A management controller; https:// is what Redfish takes unless told otherwise, IPMI has none."""
JUMP = "a host of this inventory or user@address:port"
INTERFACE = r"[A-Za-z0-9_.@:-]{1,15}"
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One variable. ``read`` takes the value out of the file; paths count from ``folder``."""

    read: Callable[[Value, Path], Any]
    schema: Schema
    about: str


def matched(value: Value, pattern: str, wanted: str) -> str:
    """The text when all of it matches. Raises :class:`~idcbench.errors.UsageError`."""
    text = value.text()
    return text if re.fullmatch(pattern, text) else value.fail(wanted)


def address(value: Value) -> str:
    """An IPv4 address. Raises :class:`~idcbench.errors.UsageError`."""
    text = value.text()
    return text if is_address(text) else value.fail("an IPv4 address")


def address_or_name(value: Value) -> str:
    """What SSH may connect to. Raises :class:`~idcbench.errors.UsageError`."""
    text = value.name()
    return text if is_place(text) else value.fail("an IPv4 address or a host's name")


def jump(value: Value) -> str:
    """A gateway, or what may be the name of a host. Raises :class:`~idcbench.errors.UsageError`."""
    text = value.text()
    return text if re.fullmatch(NAME, text) or gateway_of(text) else value.fail(JUMP)


def path(value: Value, folder: Path) -> Path:
    """A path, from the inventory's folder when it is relative; ``~`` is the home directory."""
    return _path(value, value.name(), folder)


def _path(value: Value, text: str, folder: Path) -> Path:
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:
        value.refuse(f"a user with a home directory is wanted; found {text.partition('/')[0]}; write the path out")


def secret(value: Value, folder: Path) -> Secret:
    """``file:PATH`` or ``env:NAME``. Raises :class:`~idcbench.errors.UsageError` and shows nothing of a value."""
    text = value.written() or ""
    if not re.fullmatch(SECRET, text):
        value.refuse("file:PATH or env:NAME is wanted, never the secret itself; found something else")
    kind, _, place = text.partition(":")
    return Secret("file", str(_path(value, place, folder))) if kind == "file" else Secret("env", place)


def labels(value: Value) -> dict[str, str]:
    """Labels of a node. Raises :class:`~idcbench.errors.UsageError`."""
    found = {}
    for key, each in value.section().items():
        if not re.fullmatch(LABEL_KEY, key):
            each.refuse(f"{key!r} can be no label's name")
        found[key] = matched(each, LABEL_VALUE, "a label's value, up to 63 letters, digits and - _ .,")
    return found


def taint(value: Value) -> Taint:
    """``key=value:Effect``. Raises :class:`~idcbench.errors.UsageError`."""
    match = re.fullmatch(TAINT, value.written() or "")
    if match is None:
        value.fail('a taint as one text, such as "key=value:NoSchedule",')
    return Taint(match["key"], match["value"] or "", match["effect"])


def power(value: Value, folder: Path) -> Power:
    """How to switch a host off and on. Raises :class:`~idcbench.errors.UsageError`."""
    given = value.section()
    driver = given.need("driver", what="how power is switched").choice(*DRIVERS)
    found: dict[str, Any] = {}
    if driver == "command":
        for verb in ("off", "on", "status"):
            found[verb] = tuple(word.name() for word in given.need(verb, what="a list of words to run").items())
    elif driver in ("ipmi", "redfish"):
        where = given.need("address", what="the address of the management controller")
        found["address"] = matched(where, CONTROLLER, "an address or a name, :PORT behind it where it is another one")
        found["user"] = given.need("user", what="the user there").name()
        found["password"] = secret(given.need("password", what="file:PATH or env:NAME"), folder)
    given.close()
    return Power(driver=driver, **found)


TEXT: Schema = {"type": "string", "minLength": 1}
SECRET_SCHEMA: Schema = {"type": "string", "pattern": f"^({SECRET})$"}
WORDS: Schema = {"type": "array", "items": TEXT, "minItems": 1}
LABELS_SCHEMA: Schema = {
    "type": "object",
    "propertyNames": {"pattern": f"^{LABEL_KEY}$"},
    "additionalProperties": {"type": "string", "pattern": f"^{LABEL_VALUE}$"},
}
POWER_SCHEMA: Schema = {
    "type": "object",
    "required": ["driver"],
    "additionalProperties": False,
    "properties": {
        "driver": {"enum": list(DRIVERS)},
        "address": {"type": "string", "pattern": f"^{CONTROLLER}$"},
        "user": TEXT,
        "password": SECRET_SCHEMA,
        "off": WORDS,
        "on": WORDS,
        "status": WORDS,
    },
}
FIELDS: Mapping[str, Field] = {
    "address": Field(lambda value, _: address_or_name(value), TEXT, "where SSH reaches the host"),
    "node_address": Field(
        lambda value, _: address(value),
        {"type": "string", "format": "ipv4"},
        "the address that the cluster uses, when it is not `address`",
    ),
    "port": Field(
        lambda value, _: value.whole(least=1, most=65535),
        {"type": "integer", "minimum": 1, "maximum": 65535},
        "of SSH; 22",
    ),
    "user": Field(
        lambda value, _: matched(value, USER, "a user's name, of a-z, 0-9 and _ - . with a letter or _ first,"),
        {"type": "string", "pattern": f"^{USER}$"},
        "who logs in; root",
    ),
    "key": Field(path, TEXT, "private key; without it the agent's and those in ~/.ssh"),
    "password": Field(secret, SECRET_SCHEMA, "to log in with, instead of a key"),
    "known_hosts": Field(path, TEXT, "the hosts' keys; ~/.ssh/known_hosts"),
    "host_keys": Field(
        lambda value, _: value.choice("strict", "first-use"),
        {"enum": ["strict", "first-use"]},
        "first-use: a key that was never seen is taken and kept; strict",
    ),
    "sudo": Field(lambda value, _: value.flag(), {"type": "boolean"}, "become root by sudo; false"),
    "sudo_password": Field(secret, SECRET_SCHEMA, "what sudo asks for, if it asks"),
    "jump": Field(
        lambda value, _: jump(value),
        TEXT,
        "reach it through this host: one of the inventory, or user@address:port",
    ),
    "interface": Field(
        lambda value, _: matched(value, INTERFACE, "the name of a network interface"),
        {"type": "string", "pattern": f"^{INTERFACE}$"},
        "that holds the node's address and the virtual IP; found by the address",
    ),
    "labels": Field(lambda value, _: labels(value), LABELS_SCHEMA, "of the node"),
    "taints": Field(
        lambda value, _: tuple(taint(each) for each in value.items()),
        {"type": "array", "items": {"type": "string", "pattern": f"^{re.sub('P<[a-z]+>', ':', TAINT)}$"}},
        "of the node, as key=value:Effect",
    ),
    "power": Field(power, POWER_SCHEMA, "how a host is switched off and on from outside"),
}


def read_variables(section: Section, folder: Path) -> dict[str, Any]:
    """All variables that a mapping gives; other fields stay for whoever closes it."""
    given = ((name, section.take(name)) for name in FIELDS)
    return {name: FIELDS[name].read(value, folder) for name, value in given if value is not None}
