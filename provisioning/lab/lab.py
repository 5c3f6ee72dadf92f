"""A lab: what is wanted made of what is there, and the verbs on its hosts. All of it blocks: use a thread."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, TypeVar

import docker
import msgspec
from docker.errors import APIError
from docker.models.containers import Container
from docker.utils.socket import STDOUT, frames_iter

from ...errors import UsageError
from ...progress import Progress, silent
from ..artifacts.lock import alone
from . import engine, inventory, machines
from .failure import LabError
from .image import ensure_image
from .machines import SWITCH, Machines
from .recipe import Recipe
from .runtime import runtime_of
from .spec import LabHost, LabSpec, check_name, choose_subnet, hosts_of, routes
from .state import LabFiles, LabRecord

T = TypeVar("T")
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class HostState:
    """``power`` is on, off or frozen; ``network`` up, cut or empty when the host is not on."""

    host: LabHost
    power: str
    network: str
    system: str


@dataclass(frozen=True, slots=True)
class Lab:
    """One lab by its name. Every verb may be called again, from any folder. Raises :class:`LabError`."""

    name: str = "lab"
    progress: Progress = silent

    @property
    def files(self) -> LabFiles:
        return LabFiles.of(check_name(self.name))

    def up(self, wanted: LabSpec | None = None, *, setup_runtime: bool = False) -> list[str]:
        """Make what is missing of the lab, remove hosts that are too many; gives what was done, a line each.

        ``None`` is the lab as it was asked for last. A host that is off stays off.
        """
        with self._alone() as client:
            record, done = self._recorded(client, wanted), list[str]()
            runtime = runtime_of(client, setup=setup_runtime)
            record = self._with_image(client, record)
            mine, hosts = self._machines(client), hosts_of(record.spec, IPv4Network(record.subnet))
            if mine.network() is None:
                mine.make_network(IPv4Network(record.subnet))
                done.append(f"network {record.subnet}")
            there = mine.containers()
            self._ensure_switch(mine, record, runtime, there.get(SWITCH))
            for name in sorted(there.keys() - {host.name for host in hosts} - {SWITCH}):
                mine.remove(name)
                done.append(f"removed {name}")
            key = inventory.public_key(self.files)
            self.progress("booting the hosts", total=len(hosts))
            fresh = _each(hosts, lambda host: self._ensure(mine, host, record, runtime, there.get(host.name), key))
            done += [f"made {host.name}" for host, made in zip(hosts, fresh, strict=True) if made]
            self._write_files(mine, hosts, record)
            return done

    def down(self) -> bool:
        """Remove the lab with all its disks; gives whether there was one."""
        with self._alone() as client:
            there = self._machines(client).remove_all() or self.files.root.exists()
            shutil.rmtree(self.files.root, ignore_errors=True)
            return there

    def status(self) -> list[HostState]:
        """How each host does."""
        with self._client() as client:
            mine, record = self._machines(client), self._record()
            there = mine.containers()
            return _each(
                hosts_of(record.spec, IPv4Network(record.subnet)), lambda host: _state(mine, host, there.get(host.name))
            )

    def stop(self, host: str) -> None:
        """Cut the power: every process of the host is killed at once. What it had written stays."""
        with self._at(host) as (_, one):
            if one.status in ("running", "paused"):
                one.kill()
                one.wait(timeout=60)

    def start(self, host: str) -> None:
        """Switch on and wait until it answers. A cable that was cut is in again."""
        with self._at(host) as (_, one):
            if one.status not in ("running", "paused"):
                one.start()
                machines.await_boot(one, self.host(host).address)

    def freeze(self, host: str) -> None:
        """Stop every process of the host where it stands."""
        with self._at(host) as (_, one):
            if one.status == "running":
                one.pause()

    def thaw(self, host: str) -> None:
        """Let a frozen host go on."""
        with self._at(host) as (_, one):
            if one.status == "paused":
                one.unpause()

    def cut(self, host: str) -> None:
        """Lose every packet from and to the host, silently; it goes on and sees its link up."""
        with self._at(host, running="cut") as (mine, one):
            mine.set_port(one, cut=True)

    def unplug(self, host: str) -> None:
        """Take the cable out: the host sees its link go down."""
        with self._at(host, running="unplug") as (mine, one):
            mine.set_plug(one, plugged=False)

    def heal(self, host: str) -> None:
        """End a cut; put the cable in."""
        with self._at(host, running="heal") as (mine, one):
            mine.set_plug(one, plugged=True)
            mine.set_port(one, cut=False)

    def wipe(self, host: str) -> None:
        """The host as new, at the same address, switched on. It makes a new host key; known_hosts gets that one."""
        wiped = self.host(host)
        with self._alone() as client:
            mine, record = self._machines(client), self._record()
            runtime = runtime_of(client, setup=False)
            mine.remove(host)
            self._ensure(mine, wiped, record, runtime, None, inventory.public_key(self.files))
            self._write_files(mine, hosts_of(record.spec, IPv4Network(record.subnet)), record)

    def exec(self, host: str, argv: Sequence[str]) -> Iterator[tuple[bytes | None, bytes | None] | int]:
        """Run a command as root past the network; gives pieces of stdout and stderr, at last its exit code."""
        with self._at(host, running="exec") as (mine, one):
            api = mine.client.api
            job = api.exec_create(one.id, list(argv))["Id"]
            stream: Any = api.exec_start(job, socket=True)
            try:
                for number, piece in frames_iter(stream, tty=False):  # type: ignore[no-untyped-call]
                    yield (piece, None) if number == STDOUT else (None, piece)
            finally:
                stream._sock.close()  # closing the file around it would leave the socket open
                stream.close()
            yield int(api.exec_inspect(job)["ExitCode"])

    def host(self, name: str) -> LabHost:
        """One of the hosts. Raises :class:`UsageError` when there is none of that name."""
        record = self._record()
        hosts = {one.name: one for one in hosts_of(record.spec, IPv4Network(record.subnet))}
        if name not in hosts:
            raise UsageError(f"lab {self.name} has no host {name!r}; there are {', '.join(hosts)}")
        return hosts[name]

    def _record(self) -> LabRecord:
        if (record := self.files.read()) is None:
            raise LabError(f"there is no lab {self.name}; `idcbench lab up --name {self.name}` makes it")
        return record

    def _recorded(self, client: docker.DockerClient, wanted: LabSpec | None) -> LabRecord:
        """What is to be, written down before anything is made."""
        known = self.files.read()
        spec = wanted or (known.spec if known else LabSpec())
        spec.check()
        if known and known.spec.distribution != spec.distribution:
            raise UsageError(
                f"lab {self.name} is of {known.spec.distribution}, not {spec.distribution}: "
                "remove it with `idcbench lab down` first, or make another one with --name"
            )
        subnet = known.subnet if known else str(choose_subnet(self.name, _taken(client)))
        record = LabRecord(spec=spec, subnet=subnet, image=known.image if known else "")
        self._write_record(record)
        return record

    def _with_image(self, client: docker.DockerClient, record: LabRecord) -> LabRecord:
        tag = ensure_image(client, Recipe(record.spec.distribution), progress=self.progress)
        record = msgspec.structs.replace(record, image=tag)
        self._write_record(record)
        return record

    def _write_record(self, record: LabRecord) -> None:
        self.files.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.files.write(self.files.record, msgspec.json.format(msgspec.json.encode(record), indent=1))

    def _ensure_switch(self, mine: Machines, record: LabRecord, runtime: str | None, one: Container | None) -> None:
        if one is None:
            mine.make_switch(record.image, runtime)
        elif one.status != "running":
            one.start()

    def _ensure(
        self, mine: Machines, host: LabHost, record: LabRecord, runtime: str | None, one: Container | None, key: str
    ) -> bool:
        """A host that was switched on once; gives whether that was now."""
        if one is None:
            mine.remove(host.name)  # a disk without a host, from a run that was killed
            one = mine.make(host, record, runtime)
        if one.status != "created":
            mine.limit(one, record.spec)
            return False
        machines.authorize(one, key)
        one.start()
        if machines.await_boot(one, host.address) != "running":
            failed = machines.run(one, "systemctl", "--failed", "--plain", "--no-legend").strip()
            raise LabError(f"host {host.name} booted, but not all of it: {failed}")
        return True

    def _write_files(self, mine: Machines, hosts: Sequence[LabHost], record: LabRecord) -> None:
        """Keys of hosts that are off or frozen stay as they were."""
        there = mine.containers()
        known = self.files.known_hosts.read_text().splitlines() if self.files.known_hosts.exists() else []
        old = dict(line.split(" ", 1) for line in known)
        found = _each(
            hosts,
            lambda host: (
                machines.host_key(there[host.name])
                if there[host.name].status == "running"
                else old.get(str(host.address), "")
            ),
        )
        keys = {host.name: key for host, key in zip(hosts, found, strict=True) if key}
        self.files.write(self.files.known_hosts, inventory.known_hosts(hosts, keys).encode())
        text = inventory.inventory(self.name, hosts, IPv4Network(record.subnet))
        self.files.write(self.files.inventory, text.encode())

    def _machines(self, client: docker.DockerClient) -> Machines:
        return Machines(client, self.name, str(self.files.root))

    @contextmanager
    def _client(self) -> Iterator[docker.DockerClient]:
        client = engine.connect(self.progress)
        try:
            yield client
        except APIError as error:
            raise LabError(f"lab {self.name}: the Docker engine refused: {error.explanation}") from error
        finally:
            client.close()

    @contextmanager
    def _alone(self) -> Iterator[docker.DockerClient]:
        lock = self.files.lock
        lock.parent.mkdir(parents=True, exist_ok=True)
        with alone(lock, doing=f"lab {self.name}", progress=self.progress), self._client() as client:
            yield client

    @contextmanager
    def _at(self, host: str, *, running: str = "") -> Iterator[tuple[Machines, Container]]:
        self.host(host)
        with self._client() as client:
            mine = self._machines(client)
            one = mine.containers().get(host)
            if one is None:
                raise LabError(f"host {host} of lab {self.name} is missing; `idcbench lab up` makes it")
            if running and one.status != "running":
                raise LabError(f"{running} wants host {host} switched on; it is {POWER.get(one.status, one.status)}")
            yield mine, one


POWER = {"running": "on", "paused": "frozen", "exited": "off", "created": "new", "dead": "off"}


def _state(mine: Machines, host: LabHost, one: Container | None) -> HostState:
    if one is None:
        return HostState(host, "missing", "", "")
    power = POWER.get(one.status, one.status)
    if power != "on":
        return HostState(host, power, "", "")
    _, word = machines.said(one, "systemctl", "is-system-running")
    return HostState(host, power, "cut" if mine.is_cut(one) else "up", word.strip())


def _each(hosts: Sequence[LabHost], do: Callable[[LabHost], T]) -> list[T]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(do, hosts))


def _taken(client: docker.DockerClient) -> list[IPv4Network]:
    """The machine's routes, and the engine's networks where that is elsewhere."""
    table = Path("/proc/net/route")
    pools = [pool for each in client.networks.list() for pool in (each.attrs["IPAM"]["Config"] or [])]
    nets = [IPv4Network(pool["Subnet"]) for pool in pools if ":" not in pool.get("Subnet", ":")]
    return nets + (routes(table.read_text()) if table.exists() else [])
