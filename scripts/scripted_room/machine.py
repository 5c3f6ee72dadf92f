"""One scripted machine: what it has, how it answers commands, and what the steps of idcbench change on it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import re
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cluster import Cluster

from idcbench.provisioning.controlplane.pki import KeyPair, leaf
from idcbench.provisioning.kubeadm import paths
from idcbench.provisioning.kubeadm.sharing import authority_of
from idcbench.provisioning.kubeadm.wanted import SYSCTLS, Shared

PLAIN = Path(__file__).with_name("plain.facts").read_text()
ETCD = f"{paths.PKI}/etcd"
SETTING = r"^ *(controlPlaneEndpoint|podSubnet|serviceSubnet|dnsDomain): (.*)$"


@dataclass(eq=False)
class Machine:
    """Its state outlives connections; a step goes on when its connection ends."""

    number: int
    is_control_plane: bool
    cluster: Cluster
    step_s: float
    files: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    packages: list[str] = field(default_factory=list)
    installed: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    units: set[str] = field(default_factory=set)
    blobs: set[str] = field(default_factory=set)
    exists: set[str] = field(default_factory=set)
    manifests: tuple[str, ...] = ()
    mark: str = ""
    tuned: bool = False
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    cut_at: set[str] = field(default_factory=set)
    done: list[str] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    holder: str = ""
    ahead_s: float = 0.0

    @property
    def name(self) -> str:
        return f"cp{self.number}" if self.is_control_plane else f"w{self.number}"

    @property
    def ssh_address(self) -> str:
        return f"127.9.{self.number // 250}.{self.number % 250 + 1}"

    @property
    def address(self) -> str:
        return f"10.9.{self.number // 250}.{self.number % 250 + 1}"

    def facts(self, managed: list[str]) -> str:
        """What ``collect.sh`` would print."""
        lines = [f"clock_ns={time.time_ns() + round(self.ahead_s * 1e9)}"]
        lines += [f"hostname={self.name}", f"own_name={self.address}", "swap="]
        lines += [f"machine_id={self.number:032x}", f"product_uuid={self.number:032x}"]
        lines += [f"address=eth0 {self.address}/16", f"link=eth0 1500 02:00:00:00:{self.number // 250:02x}:"
                  f"{self.number % 250:02x}", "route=default via 10.9.255.254 dev eth0 "]  # fmt: skip
        lines += [f"sysctl=net.ipv4.ip_forward {int(self.tuned)}", "unit=chrony enabled active"]
        lines += [f"package={name} 1 hi" for name in self.packages]
        lines += [f"installed={path} {digest}" for path, digest in self.installed.items()]
        lines += [f"image={name} {digest}" for name, digest in self.images.items()]
        lines += [f"unit={name} enabled active" for name in self.units]
        lines += [f"step=idcbench-step-{name}.service" for name in self.running]
        if f"{paths.ETC}/kubelet.conf" in self.exists:
            lines.append(f"node_ip={self.address}")
        lines += [f"exists={path}" for path in self.exists] + [f"manifest={name}" for name in self.manifests]
        lines += [f"mark={self.mark}"] * bool(self.mark)
        if paths.CONTROL_PLANE in self.files:
            text = self.files[paths.CONTROL_PLANE][1].decode()
            lines += [f"setting={name} {value}" for name, value in re.findall(SETTING, text, re.MULTILINE)]
        if f"{paths.PKI}/ca.crt" in self.files:
            lines.append(f"authority={self._digest(f'{paths.PKI}/ca.crt')}")
        for path in managed:
            if path in self.files:
                lines.append(f"file={self._digest(path)} {self.files[path][0]:o} root:root {path}")
        return "\n".join([PLAIN.strip(), *lines, "complete=yes", ""])

    def read(self, path: str) -> bytes | None:
        return self.files[path][1] if path in self.files else None

    def place(self, stream: bytes) -> None:
        """Files out of a tar."""
        with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
            for member in archive:
                file = archive.extractfile(member)
                assert file is not None
                self.files["/" + member.name] = member.mode, file.read()

    def unpack(self, stream: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
            self.blobs |= {member.name for member in archive}

    def import_images(self, stream: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
            index = archive.extractfile("index.json")
            assert index is not None
            for head in json.loads(index.read())["manifests"]:
                self.images[head["annotations"]["io.containerd.image.name"]] = head["digest"]

    def begin(self, step: str, script: str) -> asyncio.Task[None]:
        """Begin a step, which ends whatever becomes of the connection."""
        task = asyncio.create_task(self._step(step, script))
        self.running[step] = task
        return task

    async def _step(self, step: str, script: str) -> None:
        try:
            await asyncio.sleep(self.step_s)
            act: Callable[[str], None] = getattr(self, f"_{step}")
            act(script)
            self.done.append(step)
        finally:
            self.running.pop(step, None)

    def _remember(self, _script: str) -> None:
        pass

    def _packages(self, script: str) -> None:
        names = re.search(r"for name in (.*?); do", script)
        assert names is not None
        self.packages += [name for name in names[1].split() if name not in self.packages]

    def _binaries(self, script: str) -> None:
        for digest, path in re.findall(r'echo "([0-9a-f]{64}) \$\(stat [^)]*\) (\S+)"', script):
            self.installed[path] = digest

    def _settings(self, _script: str) -> None:
        self.tuned = True
        assert SYSCTLS["net.ipv4.ip_forward"] == "1"

    def _services(self, script: str) -> None:
        for names in re.findall(r"systemctl enable --quiet --now (.*)", script):
            self.units |= set(names.split())

    def _init(self, _script: str) -> None:
        self._becomes_member("init")

    def _join(self, _script: str) -> None:
        if self.is_control_plane and self.cluster.learners:
            raise RuntimeError("etcd has a learner already")
        self._becomes_member("join")

    def _becomes_member(self, how: str) -> None:
        self.cluster.joins.append(f"{how} {self.name}")
        self.exists.add(f"{paths.ETC}/kubelet.conf")
        if self.is_control_plane:
            self.manifests = paths.STATIC_PODS
            self.exists.add(paths.ADMIN)
            self.files[paths.ADMIN] = 0o600, b"apiVersion: v1\nkind: Config\n"
            self._make_etcd_credentials()
            self.cluster.members[self.name] = self.address
            self.cluster.authority = self.files[f"{paths.PKI}/ca.crt"][1]
        else:
            self.files[f"{paths.PKI}/ca.crt"] = 0o644, self.cluster.authority
        self.cluster.add_node(self.name, control_plane=self.is_control_plane)
        self.mark = json.dumps({"cluster": self.cluster_name, "state": "member", "by": "idcbench"})

    def begin_mark(self) -> None:
        """What kubeadm's step writes before it begins."""
        self.mark = json.dumps({"cluster": self.cluster_name, "state": "joining", "by": "idcbench"})

    @property
    def cluster_name(self) -> str:
        return "scripted"

    def _clean(self, _script: str) -> None:
        self.exists.clear()
        self.manifests = ()

    def _restore(self, _script: str) -> None:
        self._clean("")
        self.files.clear()
        self.packages.clear()
        self.installed.clear()
        self.images.clear()
        self.units.clear()
        self.mark, self.tuned = "", False

    def etcd_pair(self) -> KeyPair:
        """The certificate of its etcd, signed by the authority that idcbench brought."""
        signer = authority_of(Shared(files={f"{paths.PKI}/ca.{end}": self.files[f"{ETCD}/ca.{end}"][1]
                                            for end in ("crt", "key")}))  # fmt: skip
        return leaf(self.name, signer=signer, names=("localhost", "127.0.0.1"), server=True)

    def _make_etcd_credentials(self) -> None:
        pair = self.etcd_pair()
        self.files[f"{ETCD}/healthcheck-client.crt"] = 0o600, pair.certificate_pem
        self.files[f"{ETCD}/healthcheck-client.key"] = 0o600, pair.key_pem

    def _digest(self, path: str) -> str:
        return hashlib.sha256(self.files[path][1]).hexdigest()


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
