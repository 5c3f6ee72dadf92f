"""Where SSH connects to, as a user writes it: an address or a name, and a gateway as ``user@address:port``."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
"""A DNS label (RFC 1123), as the name of a node is one."""
USER = r"[a-z_][a-z0-9_.-]{0,31}\$?"
_GATEWAY = re.compile(rf"(?P<user>{USER})@(?P<address>[^@:]+)(:(?P<port>[1-9]\d{{0,4}}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A machine that is no host of the inventory, with hosts behind it."""

    user: str
    address: str
    port: int


def is_address(text: str) -> bool:
    """Whether it is an IPv4 address."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def is_place(text: str) -> bool:
    """Whether it is an IPv4 address or the name of a host."""
    if re.fullmatch(r"[\d.]+", text):
        return is_address(text)
    return re.fullmatch(rf"{NAME}(\.{NAME})*\.?", text, re.IGNORECASE) is not None


def gateway_of(jump: str) -> Gateway | None:
    """What ``user@address:port`` says; ``None`` for anything else, such as the name of a host."""
    found = _GATEWAY.fullmatch(jump)
    if found is None or not is_place(found["address"]) or (port := int(found["port"] or 22)) > 65535:
        return None
    return Gateway(found["user"], found["address"], port)
