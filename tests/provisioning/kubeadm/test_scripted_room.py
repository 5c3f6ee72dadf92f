"""A whole room of scripted machines: what `up` and `node` do to it, and to a run that is killed, cut off, or not alone.

The machines are SSH servers in a process of their own that remember what was done to them; see scripts/scripted_room.
"""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOM = Path(__file__).parents[3] / "scripts" / "scripted_room"
LIMIT_S = 300


class Room:
    """Three control planes and two workers, and the command."""

    def __init__(self, folder: Path, *, step_ms: int = 20) -> None:
        self.inventory = folder / "inventory.yaml"
        argv = [sys.executable, str(ROOM), str(folder), "--hosts=5", "--latency-ms=2", f"--step-ms={step_ms}"]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._line() == "ready"

    def command(self, *argv: str) -> list[str]:
        return [sys.executable, "-P", "-m", "idcbench.cli.main", *argv]

    def idcbench(self, *argv: str, code: int = 0) -> str:
        done = subprocess.run(self.command(*argv), capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self, code: int = 0) -> str:
        return self.idcbench("up", str(self.inventory), code=code)

    def node(self, verb: str, *hosts: str, code: int = 0) -> str:
        return self.idcbench("node", verb, str(self.inventory), *hosts, code=code)

    def whole(self) -> None:
        """A further run finds the cluster whole and changes nothing."""
        said = self.up()
        assert "plan: nothing to do" in said
        assert "5 nodes ready, etcd has 3 members" in said

    def tell(self, line: str) -> None:
        """``cut=HOST:STEP``, ``off=HOST``, ``on=HOST``, ``clock=HOST:SECONDS``."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        assert self._line() == f"done {line}"

    def close(self) -> None:
        self._process.communicate(timeout=20)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def altered(inventory: Path) -> Iterator[dict[str, Any]]:
    """The inventory as a document, written back at the end."""
    document = yaml.safe_load(inventory.read_text())
    yield document
    inventory.write_text(yaml.safe_dump(document, sort_keys=False))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.close()


def test_a_room_becomes_a_cluster_and_bare_again(room: Room) -> None:
    said = room.up()
    assert "plan: cp1: make the first control plane of cluster scripted" in said
    assert said.index("cp2: join done") < said.index("cp3: join done")
    room.whole()
    room.idcbench("down", str(room.inventory), "--confirm", "scripted")
    assert "plan: cp1: make the first control plane" in room.up()


def test_a_host_leaves_and_comes_again_and_others_stay_as_they_are(room: Room) -> None:
    room.up()
    assert "has left etcd" in room.node("remove", "cp1")
    assert "is not in cluster scripted" in room.node("remove", "cp1", code=6)
    room.node("remove", "w4")
    added = room.node("add", "cp1")
    assert "cp1: join as a control plane" in added
    assert "w4" not in added
    room.node("add", "w4")
    room.whole()


def test_a_control_plane_is_replaced_and_the_last_one_cannot_leave(room: Room) -> None:
    room.up()
    assert "cp2: in the cluster again" in room.node("replace", "cp2")
    room.whole()
    room.node("remove", "cp2")
    room.node("remove", "cp3")
    assert "is the only control plane" in room.node("remove", "cp1", code=6)


def test_who_is_in_the_cluster_and_not_in_the_inventory_is_not_cut_off(room: Room) -> None:
    room.up()
    with altered(room.inventory) as document:
        del document["hosts"]["cp2"], document["hosts"]["cp3"]
    said = room.up(code=6)
    assert re.search(r"cp[23] is a control plane of cluster scripted and not in .*inventory\.yaml; put it back", said)


def test_a_worker_that_the_inventory_does_not_have_is_left_alone(room: Room) -> None:
    room.up()
    with altered(room.inventory) as document:
        del document["hosts"]["w4"]
    assert "note: w4 is a node of the cluster and not in the inventory" in room.up()


def test_the_endpoint_of_a_living_cluster_cannot_be_moved(room: Room) -> None:
    room.up()
    with altered(room.inventory) as document:
        document["cluster"]["endpoint"]["port"] = 9443
    assert "made with endpoint 10.9.255.1:8443, the inventory says 10.9.255.1:9443" in room.up(code=6)
    with altered(room.inventory) as document:
        document["cluster"]["endpoint"]["port"] = 8443
    room.whole()


def test_labels_that_no_kubelet_may_set_are_set_once_it_has_joined(room: Room) -> None:
    label = "node-role.kubernetes.io/worker"
    with altered(room.inventory) as document:
        document["defaults"]["labels"] = {label: ""}
    said = room.up()
    assert f"plan: w4: label {label}=" in said
    assert said.index("w4: join done") < said.index("w4: 1 labels and taints set")
    assert "cp1: 1 labels and taints set" in said
    room.whole()


def test_a_cluster_that_lost_a_control_plane_is_worked_on_without_it(room: Room) -> None:
    whole = room.inventory.read_text()
    with altered(room.inventory) as document:
        del document["hosts"]["cp2"]
    assert "P713 cluster: found 2: cp1, cp3; wanted 1, 3 or 5" in room.up(code=6)
    room.inventory.write_text(whole)
    room.up()
    room.node("remove", "cp2")
    room.tell("off=cp2")
    with altered(room.inventory) as document:
        del document["hosts"]["cp2"]
    said = room.up()
    assert "warning: an odd number of control planes is wanted" in said
    assert "plan: nothing to do" in said
    assert "warning: an odd number" in room.idcbench("inventory", "check", str(room.inventory))


def test_a_host_that_is_off_is_removed_and_kept_out(room: Room) -> None:
    room.up()
    said = room.idcbench("status", str(room.inventory))
    assert said.count("leads") == 1
    assert said.count("follows") == 2
    room.tell("off=w5")
    assert "refuses connections" in room.idcbench("status", str(room.inventory), code=6)
    assert "it is a node of the cluster: start it, or idcbench node remove" in room.node("add", "w4", code=6)
    assert "host w5" in room.up(code=6)
    said = room.node("remove", "w5")
    assert "could not be reached" in said
    room.tell("on=w5")
    assert "w5: join as a worker" in room.node("add", "w5")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_driver_that_is_killed_anywhere_goes_on_to_the_same_cluster(room: Room, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(3):
        lines = chance.randrange(1, 110)
        with subprocess.Popen(room.command("up", str(room.inventory)), stdout=subprocess.PIPE, text=True) as driver:
            assert driver.stdout is not None
            for _ in zip(range(lines), driver.stdout, strict=False):
                pass
            driver.send_signal(signal.SIGKILL)
    room.up()
    room.whole()


def test_a_connection_that_is_cut_without_a_word_is_given_up_and_the_next_run_goes_on(room: Room) -> None:
    room.tell("cut=cp2:join")
    said = room.up(code=6)
    assert "host cp2: the connection ended" in said
    room.up()
    room.whole()


def test_who_is_not_alone_is_told_who_works_there(tmp_path: Path) -> None:
    room = Room(tmp_path, step_ms=2000)
    with subprocess.Popen(room.command("up", str(room.inventory)), stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        first.stdout.readline()
        assert "is being worked on by" in room.up(code=6)
        first.stdout.read()
    assert first.returncode == 0
    room.close()


@pytest.mark.parametrize("ahead_s", [3600, -3600])
def test_a_clock_that_is_an_hour_off_is_named_before_anything_changes(room: Room, ahead_s: int) -> None:
    room.tell(f"clock=cp2:{ahead_s}")
    said = room.up(code=6)
    assert "nothing was changed" in said
    sign = "+" if ahead_s > 0 else "-"
    assert re.search(rf"P202 cp2: found \{sign}(3599|3600)\.\d+ s ± \d\.\d+; wanted within 30 min; set the clock", said)
    assert "chronyc makestep" in said
    room.tell("clock=cp2:0")
    room.up()
