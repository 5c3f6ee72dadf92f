"""The files by which a scripted room is reached: inventory, keys, and a bundle with next to nothing in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import yaml
from machine import Machine

from idcbench.provisioning.artifacts.bundle_schema import BundleEntry, BundleManifest, Kind, Media
from idcbench.provisioning.artifacts.bundle_write import Shelf, write_bundle
from idcbench.provisioning.artifacts.oci import Runtime, image
from idcbench.provisioning.artifacts.oci_layer import Entry, layer
from idcbench.provisioning.artifacts.packages import WANTED

KUBERNETES = "1.37.2"
PROGRAMS = ("kubelet", "kubeadm", "kubectl", "crictl")
PLUGINS = ("bridge", "host-local", "loopback", "portmap")
IMAGES = (
    *(f"registry.k8s.io/{name}:v{KUBERNETES}" for name in
      ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")),
    "registry.k8s.io/etcd:3.7.3-0", "registry.k8s.io/coredns/coredns:v1.14.0", "registry.k8s.io/pause:3.10.2",
    "registry.k8s.io/metrics-server/metrics-server:v0.8.0", "localhost/idcbench/flannel:v0.27.0",
    "localhost/idcbench/registry:2.8.2", "localhost/idcbench/csr-approver:1", "localhost/idcbench/podtool:1",
)  # fmt: skip


@dataclass(frozen=True)
class Keys:
    """``host`` is the private key of every machine, ``authorized`` the file that says who is let in."""

    host: asyncssh.SSHKey
    authorized: Path
    port: int = 2200


def write_files(folder: Path, machines: Sequence[Machine]) -> Keys:
    """All of them; the keys that servers need."""
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    client.write_private_key(folder / "key")
    (folder / "key").chmod(0o600)
    client.write_public_key(folder / "authorized")
    keys = Keys(host, folder / "authorized")
    public = host.export_public_key().decode().strip()
    known = "".join(f"[{machine.ssh_address}]:{keys.port} {public}\n" for machine in machines)
    (folder / "known_hosts").write_text(known)
    (folder / "inventory.yaml").write_text(_inventory(machines, keys.port))
    _write_bundle(folder / "room.bundle")
    return keys


def _inventory(machines: Sequence[Machine], port: int) -> str:
    document = {
        "cluster": {
            "name": "scripted",
            "disruptive": True,
            "endpoint": {"mode": "keepalived", "address": "10.9.255.1"},
        },
        "defaults": {"user": "ops", "sudo": True, "port": port, "key": "./key", "known_hosts": "./known_hosts"},
        "hosts": {
            machine.name: {
                "address": machine.ssh_address,
                "node_address": machine.address,
                "groups": ["control-plane" if machine.is_control_plane else "worker"],
            }
            for machine in machines
        },
    }
    return yaml.safe_dump(document, sort_keys=False)


def _write_bundle(path: Path) -> None:
    shelf = Shelf(path.with_suffix(".blobs"))
    shelf.folder.mkdir(exist_ok=True)
    entries = [_file(shelf, name, "package", "plain", distribution="debian-12") for name in WANTED]
    entries += [_file(shelf, name, "binary", "plain", path=f"/usr/local/bin/{name}") for name in PROGRAMS]
    entries += [_file(shelf, name, "binary", "plain", path=f"/opt/cni/bin/{name}") for name in PLUGINS]
    entries += [_image(shelf, reference) for reference in IMAGES]
    manifest = BundleManifest(
        kubernetes=KUBERNETES, architecture="amd64", distributions=("debian-12",), created_by="scripted_room",
        entries=tuple(entries),
    )  # fmt: skip
    write_bundle(path, manifest, shelf.files)


def _file(shelf: Shelf, name: str, kind: Kind, media: Media, *, path: str = "", distribution: str = "") -> BundleEntry:
    blob = shelf.keep(f"this is {name}\n".encode() * 200)
    return BundleEntry(
        name=name, kind=kind, version="1", size_bytes=blob.size_bytes, sha256=blob.sha256, origin="", media=media,
        blobs=(blob,), path=path, distribution=distribution,
    )  # fmt: skip


def _image(shelf: Shelf, reference: str) -> BundleEntry:
    runtime = Runtime(entrypoint=["/it"], user="1:1")
    made = image([layer({"it": Entry(reference.encode())})], runtime, reference=reference)
    blobs = tuple(shelf.keep(content) for content in made.stored)
    return BundleEntry(
        name=reference, kind="image", version="1", size_bytes=sum(blob.size_bytes for blob in blobs),
        sha256=made.digest.removeprefix("sha256:"), origin="scripted", media="oci", blobs=blobs,
    )  # fmt: skip
