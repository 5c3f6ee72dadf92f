"""The containers that are a lab's hosts: make, boot, read, break. One engine, everything found by our labels."""

from __future__ import annotations

import io
import socket
import tarfile
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, cast

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import EndpointConfig, IPAMConfig, IPAMPool
from docker.utils import parse_bytes

from .failure import LabError
from .spec import LabHost, LabSpec
from .state import LabRecord

LAB, OWNER, HOST = "idcbench.lab", "idcbench.lab.owner", "idcbench.lab.host"
SWITCH = "switch"
BOOT_LIMIT_S = 120
REMOVE_LIMIT_S = 60.0
CONFLICT = 409
PERIOD_US = 100_000
AWAIT = (
    "while :; do s=$(systemctl is-system-running --wait 2>/dev/null); "
    'case $s in running|degraded) echo $s; exit;; esac; sleep 0.1; done'
)  # fmt: skip
FIND = 'for l in /sys/class/net/*; do [ "$(cat $l/ifindex)" != "$1" ] || break; done; '
SET_PORT = FIND + 'exec bridge link set dev "${l##*/}" state "$2"'
SET_PLUG = FIND + 'exec ip link set dev "${l##*/}" "$2"'
READ_PORT = FIND + 'exec cat "$l/brport/state"'
DISABLED, FORWARDING = "0", "3"
"""States of a bridge's port (linux/if_bridge.h): a disabled one drops every frame and keeps its carrier."""


@dataclass(frozen=True, slots=True)
class Machines:
    """A lab's objects in the engine. ``owner`` is the lab's folder: two users' labs of one name are two labs."""

    client: docker.DockerClient
    name: str
    owner: str

    @property
    def labels(self) -> dict[str, str]:
        return {LAB: self.name, OWNER: self.owner}

    def _mine(self) -> dict[str, str | list[str] | bool]:
        return {"label": [f"{key}={value}" for key, value in self.labels.items()]}

    def object_name(self, part: str = "") -> str:
        return f"idcbench-lab-{self.name}{part and '-' + part}"

    def containers(self) -> dict[str, Container]:
        """By host's name; the switch is among them."""
        found = self.client.containers.list(all=True, filters=self._mine(), ignore_removed=True)
        return {one.labels[HOST]: one for one in found}

    def network(self) -> Network | None:
        found: list[Network] = self.client.networks.list(filters=self._mine())
        return found[0] if found else None

    def make_network(self, subnet: IPv4Network) -> None:
        """No way leads out of it."""
        pool = IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))
        self.client.networks.create(
            self.object_name(), driver="bridge", internal=True, labels=self.labels, ipam=IPAMConfig(pool_configs=[pool])
        )

    def make_switch(self, image: str, runtime: str | None) -> None:
        """What reaches the ports of the lab's bridge, wherever the engine is."""
        self.client.containers.run(
            image, ["sleep", "infinity"], name=self.object_name(SWITCH), labels={**self.labels, HOST: SWITCH},
            detach=True, privileged=True, network_mode="host", runtime=runtime, init=True,
        )  # fmt: skip

    def make(self, host: LabHost, record: LabRecord, runtime: str | None) -> Container:
        """A host that was never switched on, with an empty disk."""
        volume = self.object_name(f"{host.name}-var")
        self.client.volumes.create(volume, labels={**self.labels, HOST: host.name})
        subnet = IPv4Network(record.subnet)
        network = self.object_name()
        return self.client.containers.create(
            record.image, name=self.object_name(host.name), hostname=host.name, labels={**self.labels, HOST: host.name},
            privileged=True, cgroupns="private", stop_signal="SIGRTMIN+3", runtime=runtime,
            tmpfs={"/run": "", "/tmp": "exec,mode=1777"}, volumes={volume: {"bind": "/var", "mode": "rw"}},
            network=network, networking_config={network: _endpoint(host.address)},
            environment={"LAB_GATEWAY": str(subnet[1])}, **limits(record.spec),
        )  # fmt: skip

    def limit(self, one: Container, spec: LabSpec) -> None:
        """Give a host the limits of ``spec`` where it has others; it need not be switched off for that."""
        given, wanted = one.attrs["HostConfig"], limits(spec)
        if (given["CpuQuota"], given["Memory"]) != (wanted["cpu_quota"], wanted["mem_limit"]):
            one.update(**wanted)

    def remove(self, host: str) -> None:
        """A host and its disk."""
        if found := self.containers().get(host):
            found.remove(force=True)
        try:
            self.client.volumes.get(self.object_name(f"{host}-var")).remove()
        except NotFound:
            return

    def remove_all(self) -> bool:
        """Everything of this lab, and nothing else; gives whether there was anything.

        Again until nothing is found: the engine may still be at work on what a killed idcbench had asked for.
        """
        there, until = False, time.monotonic() + REMOVE_LIMIT_S
        while True:
            try:
                found = self._remove_found()
            except APIError as error:
                if error.status_code != CONFLICT or time.monotonic() > until:
                    raise
                found = True  # a host appeared meanwhile that uses a disk or the network
            if not found:
                return there
            there = True

    def _remove_found(self) -> bool:
        containers = list(self.containers().values())
        for one in containers:
            one.remove(force=True)
        volumes = self.client.volumes.list(filters=self._mine())
        for volume in volumes:
            volume.remove()
        networks = self.client.networks.list(filters=self._mine())
        for network in networks:
            network.remove()
        return bool(containers or volumes or networks)

    def set_port(self, container: Container, *, cut: bool) -> None:
        """Let the bridge drop a host's frames, or pass them again. The host sees its link up all the time."""
        self._switched(SET_PORT, container, DISABLED if cut else FORWARDING)

    def set_plug(self, container: Container, *, plugged: bool) -> None:
        """Take the host's end of the cable out, or put it in. The host sees that it has no carrier."""
        self._switched(SET_PLUG, container, "up" if plugged else "down")

    def is_cut(self, container: Container) -> bool:
        return self._switched(READ_PORT, container, "").strip() == DISABLED

    def _switched(self, script: str, container: Container, word: str) -> str:
        peer = run(container, "cat", "/sys/class/net/eth0/iflink").strip()
        return run(self.containers()[SWITCH], "sh", "-c", script, "port", peer, word)


def _endpoint(address: IPv4Address) -> EndpointConfig:
    return EndpointConfig("1.41", ipv4_address=str(address))


def limits(spec: LabSpec) -> dict[str, Any]:
    """As the engine takes them. Without swap: a kubelet wants none."""
    memory_bytes = parse_bytes(spec.memory)
    return {
        "cpu_period": PERIOD_US, "cpu_quota": int(spec.cpus * PERIOD_US),
        "mem_limit": memory_bytes, "memswap_limit": memory_bytes,
    }  # fmt: skip


def authorize(container: Container, public_key: str) -> None:
    """Lay the lab's key into a host that is not running yet."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        folder, file = tarfile.TarInfo(".ssh"), tarfile.TarInfo(".ssh/authorized_keys")
        folder.type, folder.mode, file.mode, file.size = tarfile.DIRTYPE, 0o700, 0o600, len(public_key)
        folder.uid = folder.gid = file.uid = file.gid = 1000
        archive.addfile(folder)
        archive.addfile(file, io.BytesIO(public_key.encode()))
    container.put_archive("/home/ops", packed.getvalue())


def run(container: Container, *argv: str) -> str:
    """What a command in a container says. Raises :class:`LabError` when it fails."""
    code, output = said(container, *argv)
    if code:
        raise LabError(f"{container.name}: `{argv[0]}` ended with {code}: {output.strip()}")
    return output


def said(container: Container, *argv: str) -> tuple[int, str]:
    """Exit code and output of a command in a container."""
    code, output = container.exec_run(list(argv))
    return int(code or 0), cast("bytes", output).decode(errors="replace")


def await_boot(container: Container, address: IPv4Address) -> str:
    """Wait until systemd is done and sshd answers; gives systemd's word, ``running`` or ``degraded``.

    Raises :class:`LabError` after ``BOOT_LIMIT_S``.
    """
    word = run(container, "timeout", str(BOOT_LIMIT_S), "sh", "-c", AWAIT).strip()
    until = time.monotonic() + BOOT_LIMIT_S
    while not answers(address):
        if time.monotonic() > until:
            raise LabError(f"{container.name}: sshd at {address} does not answer; see `idcbench lab exec`")
        time.sleep(0.1)
    return word


def answers(address: IPv4Address) -> bool:
    """Whether an SSH server greets us there."""
    try:
        with socket.create_connection((str(address), 22), timeout=2) as stream:
            return stream.recv(4) == b"SSH-"
    except OSError:
        return False


def host_key(container: Container) -> str:
    """The host's public key, asked of the machine itself and not of the network."""
    return " ".join(run(container, "ssh-keygen", "-y", "-f", "/etc/ssh/ssh_host_ed25519_key").split()[:2])
