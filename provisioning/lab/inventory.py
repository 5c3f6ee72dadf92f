"""The files by which a lab is reached as real machines are: inventory, key pair, known hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .spec import RACKS, VIRTUAL, LabHost
from .state import LabFiles

USER = "ops"
HEAD = "# Written by `idcbench lab up`, anew each time; copy it to change it.\n"


def inventory(name: str, hosts: Sequence[LabHost], subnet: IPv4Network) -> str:
    """The inventory of a lab, as ``idcbench up`` reads it."""
    document: dict[str, Any] = {
        "cluster": {
            "name": name,
            "profile": "default",
            "disruptive": True,
            "endpoint": {"mode": "keepalived", "address": str(subnet[VIRTUAL]), "port": 8443},
        },
        "defaults": {
            "user": USER, "key": "./lab_key", "known_hosts": "./known_hosts", "sudo": True, "power": {"driver": "lab"},
        },
        "groups": {
            "control-plane": {}, "worker": {},
            **{rack: {"labels": {"topology.kubernetes.io/zone": rack}} for rack in RACKS},
        },
        "hosts": {host.name: {"address": str(host.address), "groups": [host.role, host.rack]} for host in hosts},
    }  # fmt: skip
    return HEAD + yaml.safe_dump(document, sort_keys=False)


def known_hosts(hosts: Sequence[LabHost], keys: Mapping[str, str]) -> str:
    """OpenSSH's known_hosts: a line for each host whose key is known."""
    return "".join(f"{host.address} {keys[host.name]}\n" for host in hosts if host.name in keys)


def public_key(files: LabFiles) -> str:
    """The lab's public key in OpenSSH's form; the pair is made, ed25519, when there is none."""
    if not files.key.exists():
        made = Ed25519PrivateKey.generate()
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
        files.write(files.key, made.private_bytes(*form), mode=0o600)
    private = serialization.load_ssh_private_key(files.key.read_bytes(), password=None)
    line = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    text = line.decode() + " idcbench-lab\n"
    files.write(files.key.with_suffix(".pub"), text.encode())
    return text
