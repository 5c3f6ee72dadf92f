"""Following the owners of an address on hosts that are this machine with an ``ip`` of our own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from idcbench.hosts.completed import Completed
from idcbench.suites.failover.virtual_ip import owners, wait_for_one_owner, watching_owners

VIP = "10.77.0.100"
# `ip monitor` follows a file of the host; `ip -j address show` prints another
IP = """#!/bin/sh
case "$*" in
  *monitor*) exec tail -n +1 -s 0.01 -f "$HOST_DIR/events" ;;
  *) cat "$HOST_DIR/addresses" ;;
esac
"""


class LocalHost:
    """A host whose commands run here, with its own folder behind ``ip``."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "ip").write_text(IP)
        (self.folder / "ip").chmod(0o755)
        (self.folder / "events").touch()
        self.hold(False)

    def hold(self, held: bool) -> None:
        local = VIP if held else "10.77.0.1"
        (self.folder / "addresses").write_text(f'[{{"ifname":"eth0","addr_info":[{{"local":"{local}"}}]}}]')

    def changed(self, *, took: bool) -> None:
        second, fraction = divmod(time.time_ns(), 10**9)
        stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(second))}.{fraction // 1000:06d}"
        line = (
            f"[{stamp}] {'' if took else 'Deleted '}2: eth0    inet {VIP}/24 scope global eth0\\  valid_lft forever\n"
        )
        with (self.folder / "events").open("a") as events:
            events.write(line)

    def run(self, *argv: str, timeout_s: float = 30.0) -> Completed:
        environment = os.environ | {"PATH": f"{self.folder}:{os.environ['PATH']}", "HOST_DIR": str(self.folder)}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False)
        return Completed(self.name, argv, done.returncode, done.stdout, done.stderr)


@pytest.fixture
def hosts(tmp_path: Path) -> tuple[LocalHost, ...]:
    return tuple(LocalHost(name, tmp_path) for name in ("cp1", "cp2"))


def test_the_owners_now(hosts: tuple[LocalHost, ...]) -> None:
    assert owners(hosts, VIP) == frozenset()
    hosts[1].hold(True)
    assert owners(hosts, VIP) == {"cp2"}
    assert wait_for_one_owner(hosts, VIP, timeout_s=1) == "cp2"


@pytest.mark.parametrize(("held", "found"), [((True, True), r"\['cp1', 'cp2'\]"), ((False, False), r"\[\]")])
def test_not_one_owner_in_time(hosts: tuple[LocalHost, ...], held: tuple[bool, bool], found: str) -> None:
    for host, holds in zip(hosts, held, strict=True):
        host.hold(holds)
    with pytest.raises(TimeoutError, match=found):
        wait_for_one_owner(hosts, VIP, timeout_s=0.1)


def test_owners_are_followed_from_host_to_host(hosts: tuple[LocalHost, ...]) -> None:
    hosts[0].hold(True)
    with watching_owners(hosts, VIP) as watch:
        steps: list[tuple[Callable[[], None], int]] = []
        for change in (lambda: hosts[1].changed(took=True), lambda: hosts[0].changed(took=False)):
            steps.append((change, time.monotonic_ns()))
            change()
            time.sleep(0.1)
        held = watch.end()
        assert watch.end() is held
    assert [sorted(holding.owners) for holding in held] == [["cp1"], ["cp1", "cp2"], ["cp2"]]
    for holding, (_, at_ns) in zip(held[1:], steps, strict=True):
        assert abs(holding.since_ns - at_ns) < 20e6


def test_no_monitor_outlives_its_watch(hosts: tuple[LocalHost, ...]) -> None:
    with watching_owners(hosts, VIP) as watch:
        pid_files = list(Path("/var/tmp").glob(f"{Path(watch.file).name}-*.pid"))
        pids = [int(path.read_text()) for path in pid_files]
        assert len(pids) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(path.exists() for path in pid_files)
