"""Hosts as a test wants them: sound ones, of facts recorded on a Debian 12 host, and what is wrong with them."""

from __future__ import annotations

import base64
import datetime
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idcbench.hosts.inventory_file import parse_inventory
from idcbench.provisioning.artifacts.bundle import Bundle
from idcbench.provisioning.artifacts.bundle_schema import BundleEntry, BundleManifest
from idcbench.provisioning.artifacts.bundle_write import Shelf, write_bundle
from idcbench.provisioning.facts.facts import Facts, parse_facts
from idcbench.provisioning.preflight.evidence import Evidence, Supply
from idcbench.provisioning.preflight.finding import Finding
from idcbench.provisioning.preflight.ports import asked
from idcbench.provisioning.preflight.registry import CHECKS, judge

RECORDED = (Path(__file__).parent / "debian-12.facts").read_text()
NOW = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)
NOW_NS = int(NOW.timestamp()) * 10**9
INVENTORY = """\
cluster:
  name: lab
  endpoint: {mode: keepalived, address: 192.0.2.100}
  network: {plugin: flannel}
hosts:
  cp1: {address: 192.0.2.11, groups: [control-plane], interface: eth0}
  cp2: {address: 192.0.2.12, groups: [control-plane]}
  cp3: {address: 192.0.2.13, groups: [control-plane]}
  w1: {address: 192.0.2.21, groups: [worker]}
"""
ADDRESSES = {"cp1": 11, "cp2": 12, "cp3": 13, "w1": 21}
SYNC = "500 400 900 2000"
SUPPLY = Supply(
    path="idc.bundle",
    manifest=BundleManifest(
        kubernetes="1.37.2", architecture="amd64", distributions=("debian-12",), created_by="test", entries=()
    ),
)


@dataclass
class Scene:
    """Sound until it is spoiled; :meth:`judge` builds the evidence of what it is by then."""

    inventory: str = INVENTORY
    facts: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    measured: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    unreached: dict[str, str] = field(default_factory=dict)
    unmeasured: dict[str, str] = field(default_factory=dict)
    bundle: Supply | None = SUPPLY
    kubernetes: str = "1.37"

    def set(self, host: str, key: str, *values: str) -> Scene:
        """These values of a fact instead of what was recorded."""
        self.facts[host][key] = list(values)
        return self

    def add(self, host: str, key: str, *values: str) -> Scene:
        self.facts[host].setdefault(key, []).extend(values)
        return self

    def swap(self, host: str, key: str, old: str, new: str) -> Scene:
        """Another text in all values of a fact, which must have it."""
        values = self.facts[host][key]
        assert any(old in value for value in values), f"{key} of {host} has no {old!r}: {values}"
        self.facts[host][key] = [value.replace(old, new) for value in values]
        return self

    def drop(self, host: str, key: str, text: str) -> Scene:
        """Without the values that have the text, of which there must be some."""
        kept = [value for value in self.facts[host][key] if text not in value]
        assert len(kept) < len(self.facts[host][key])
        self.facts[host][key] = kept
        return self

    def saw(self, host: str, key: str, *values: str) -> Scene:
        """These values of a measurement."""
        self.measured[host][key] = list(values)
        return self

    def saw_of(self, host: str, key: str, old: str, new: str) -> Scene:
        """Another text in what was measured, which must be there."""
        values = self.measured[host][key]
        assert any(old in value for value in values)
        self.measured[host][key] = [value.replace(old, new) for value in values]
        return self

    def ask(self, old: str, new: str) -> Scene:
        """Another inventory."""
        assert old in self.inventory
        self.inventory = self.inventory.replace(old, new)
        return self

    def want(self, kubernetes: str) -> Scene:
        """Another Kubernetes, one that is still to come too, which no inventory may have yet."""
        self.kubernetes = kubernetes
        return self

    def lose(self, host: str, why: str) -> Scene:
        del self.facts[host], self.measured[host]
        self.unreached[host] = why
        return self

    def member(self, host: str, *, cluster: str = "lab", state: str = "member") -> Scene:
        """A member of a cluster, as it is after `idcbench up`."""
        self.set(host, "mark", f'{{"cluster": "{cluster}", "state": "{state}", "by": "idcbench"}}')
        self.set(host, "exists", "/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/config.yaml")
        self.set(host, "authority", "a" * 64)
        self.set(host, "kubelet", "v1.37.2")
        self.set(host, "containerd", "1.6.20")
        if host != "w1":
            self.set(host, "manifest", "kube-apiserver", "etcd")
            self.set(host, "etcd_data", "yes")
        return self

    def evidence(self) -> Evidence:
        return Evidence(
            inventory=replace(parse_inventory(self.inventory, path=Path("inventory.yaml")), kubernetes=self.kubernetes),
            facts={name: _facts(said) for name, said in self.facts.items()},
            unreached=self.unreached,
            measured={name: _facts(said) for name, said in self.measured.items()},
            unmeasured=self.unmeasured,
            bundle=self.bundle,
            now=NOW,
        )

    def judge(self, only: Iterable[str] = tuple(CHECKS)) -> list[Finding]:
        return judge(self.evidence(), [CHECKS[number] for number in only])


@pytest.fixture
def scene() -> Scene:
    """Three control planes and a worker, sound in everything."""
    made = Scene()
    inventory = parse_inventory(INVENTORY, path=Path("inventory.yaml"))
    for name, last in ADDRESSES.items():
        text = RECORDED.format(
            name=name,
            address=f"192.0.2.{last}",
            mac=f"52:54:00:00:00:{last}",
            machine_id=f"{last:032x}",
            product_uuid=f"00000000-0000-0000-0000-{last:012}",
            clock_ns=NOW_NS + 100_000_000,
        )
        made.facts[name] = {key: list(values) for key, values in parse_facts(text).said.items()}
        made.set(name, "asked_ns", str(NOW_NS)).set(name, "answered_ns", str(NOW_NS + 300_000_000))
        made.measured[name] = _measured(name)
        for other in ADDRESSES:
            if other != name:
                ports = asked(inventory, inventory.host(name), inventory.host(other))
                made.measured[name]["tcp"] += [f"{other} {port.number} open" for port in ports]
                made.measured[name]["udp"] += [f"{other} small ok", f"{other} large ok"]
    return made


def _measured(name: str) -> dict[str, list[str]]:
    others = [f"192.0.2.{last}" for other, last in ADDRESSES.items() if other not in (name, "w1")]
    found = {"tcp": [], "udp": [], "vxlan": ["yes"], "nftables": ["yes"], "dns": ["192.0.2.53 ok"]}
    found["clock"] = [f"{NOW_NS + 1_000_500_000} {NOW_NS + 1_000_000_000} {NOW_NS + 1_001_000_000}"]
    if name != "w1":
        found |= {"vrrp": others, "vrrp_from": others, "arp": ["192.0.2.100 none"], "sync_us": [SYNC]}
    return found


def _facts(said: dict[str, list[str]]) -> Facts:
    return Facts({key: tuple(values) for key, values in said.items()})


@pytest.fixture(scope="session")
def certificate_of() -> object:
    """A function that gives the line of a certificate that is valid for so many days."""
    key = ec.generate_private_key(ec.SECP256R1())

    def made(days: int) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        begin = NOW - datetime.timedelta(days=300)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(begin)
            .not_valid_after(NOW + datetime.timedelta(days=days))
            .sign(key, hashes.SHA256())
        )
        der = certificate.public_bytes(serialization.Encoding.DER)
        return f"/etc/kubernetes/pki/apiserver.crt {base64.b64encode(der).decode()}"

    return made


def load(path: Path) -> ModuleType:
    """A module of the tests, which no package makes importable."""
    name = f"preflight_{path.parent.name}_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def rooms() -> ModuleType:
    return load(Path(__file__).with_name("rooms.py"))


@pytest.fixture(scope="session")
def chromium() -> ModuleType:
    return load(Path(__file__).parents[2] / "reports" / "chromium.py")


@pytest.fixture
def room(rooms: ModuleType) -> Iterator[Any]:
    """Three hosts in namespaces; skipped where there are none."""
    if why := rooms.missing():
        pytest.skip(why)
    with rooms.room() as made:
        yield made


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Any]:
    """An sshd on loopback, as the tests of hosts have it."""
    ssh = load(Path(__file__).parents[2] / "hosts" / "conftest.py")
    if ssh.PROGRAM is None or os.getuid() != 0:
        pytest.skip("needs sshd and root")
    with ssh.sshd(tmp_path) as running:
        yield running


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """One that fits the scene's hosts, with a single small tool."""
    (tmp_path / "shelf").mkdir()
    shelf = Shelf(tmp_path / "shelf")
    blob = shelf.keep(b"this is what a host gets")
    tool = BundleEntry(
        name="tool", kind="binary", version="1", size_bytes=blob.size_bytes, sha256=blob.sha256, origin="made here",
        media="plain", blobs=(blob,), path="/usr/local/bin/tool",
    )  # fmt: skip
    manifest = BundleManifest(
        kubernetes="1.37.2", architecture="amd64", distributions=("debian-12",), created_by="test", entries=(tool,)
    )
    write_bundle(tmp_path / "idc.bundle", manifest, shelf.files)
    return Bundle.open(tmp_path / "idc.bundle")
