"""What hosts say of their components, read; and an exit told in this machine's time."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pytest

from idcbench.hosts.completed import Completed
from idcbench.hosts.failure import HostError
from idcbench.provisioning.idc.looking import INSPECT, parse_inspected, parse_look
from idcbench.provisioning.idc.watching import Watcher

UNITS = """\
Id=kubelet.service
MainPID=41
NRestarts={restarts}
ActiveState=active
ActiveExitTimestamp={exited}
ExecMainStatus=0

Id=keepalived.service
MainPID=0
NRestarts=0
ActiveState=inactive
ActiveExitTimestamp=
ExecMainStatus=0
"""


def containers(*given: tuple[str, str, int, bool]) -> str:
    listed = [
        {"id": one, "metadata": {"name": name, "attempt": attempt},
         "state": "CONTAINER_RUNNING" if runs else "CONTAINER_EXITED"}
        for one, name, attempt, runs in given
    ]  # fmt: skip
    return json.dumps({"containers": listed})


def look(*given: tuple[str, str, int, bool], aside: str = "", restarts: int = 0, exited: str = "") -> str:
    return f"{containers(*given)}\n---\n{aside}\n---\n{UNITS.format(restarts=restarts, exited=exited)}"


def test_a_look_has_the_control_planes_own_containers_and_the_services() -> None:
    found = parse_look(look(("a1", "etcd", 2, True), ("b2", "coredns", 0, True), aside="kube-scheduler.yaml"))
    assert [(one.component, one.attempt, one.runs) for one in found.containers] == [("etcd", 2, True)]
    assert [(unit.name, unit.pid, unit.active) for unit in found.units] == [
        ("kubelet", 41, True),
        ("keepalived", 0, False),
    ]
    assert found.aside == {"kube-scheduler"}


def test_an_inspected_container_has_its_times_its_code_and_its_last_words() -> None:
    text = (
        "a1 77 2026-11-28T09:00:00.5Z 1970-01-01T00:00:00Z 0 CONTAINER_RUNNING\n"
        "b2 0 2026-11-28T09:00:00Z 2026-11-28T09:00:01.000000123Z 137 CONTAINER_EXITED\n> one\n> two\n"
    )
    running, exited = parse_inspected(text)
    assert (running.pid, running.finished_ns, running.started_ns % 10**9) == (77, 0, 500_000_000)
    assert (exited.exit_code, exited.finished_ns % 10**9, exited.last_lines) == (137, 123, ("one", "two"))


@pytest.mark.parametrize("text", ["", "{}\n---\n", "no json\n---\n\n---\n\n"])
def test_what_is_no_look_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_look(text)


class Machine:
    """A host by its answers; ``clock_ns`` is how far its clock is ahead."""

    def __init__(self, name: str, clock_ns: int = 0) -> None:
        self.name = name
        self.address = "10.0.0.1"
        self.clock_ns = clock_ns
        self.look = look(("a1", "etcd", 0, True))
        self.inspected: Mapping[str, str] = {
            "a1": "a1 70 2026-11-28T09:00:00Z 1970-01-01T00:00:00Z 0 CONTAINER_RUNNING"
        }
        self.off = False

    async def run(self, *argv: str, timeout_s: float = 30.0, content: bytes = b"") -> Completed:  # noqa: ARG002
        if self.off:
            raise HostError(self.name, "is off")
        if argv[0] == "date":
            return Completed(self.name, argv, 0, str(time.time_ns() + self.clock_ns), "")
        if argv[2] == INSPECT:
            return Completed(self.name, argv, 0, "\n".join(self.inspected[one] for one in argv[4:]), "")
        return Completed(self.name, argv, 0, self.look, "")

    def stamp(self) -> str:
        """Its wall clock now."""
        seconds, ns = divmod(time.time_ns() + self.clock_ns, 10**9)
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{ns:09d}Z"


@pytest.fixture
def machine() -> Machine:
    return Machine("cp1", clock_ns=3_600_000_000_000)


@pytest.fixture
async def watcher(machine: Machine) -> Watcher:
    watching = Watcher(hosts={"cp1": machine})  # type: ignore[dict-item]
    await watching.begin()
    return watching


async def test_a_container_that_exits_is_told_once_at_the_time_of_this_machine(
    watcher: Watcher, machine: Machine
) -> None:
    before_ns = time.monotonic_ns()
    machine.look = look(("a1", "etcd", 0, False), ("a2", "etcd", 1, True))
    machine.inspected = {
        "a1": f"a1 0 2026-11-28T09:00:00Z {machine.stamp()} 137 CONTAINER_EXITED\n> killed",
        "a2": "a2 71 2026-11-28T09:00:00Z 1970-01-01T00:00:00Z 0 CONTAINER_RUNNING",
    }
    [exit_] = await watcher.exits()
    assert await watcher.exits() == [exit_]
    assert (exit_.component, exit_.exit_code, exit_.asked, exit_.last_lines) == ("etcd", 137, False, ("killed",))
    assert before_ns - 50e6 < exit_.at_ns < time.monotonic_ns() + 50e6
    states = {state.component: state for state in await watcher.states()}
    assert (states["etcd"].pid, states["etcd"].restarts, states["etcd"].state) == (71, 1, "running")


async def test_a_service_that_systemd_restarted_has_exited(watcher: Watcher, machine: Machine) -> None:
    machine.look = look(("a1", "etcd", 0, True), restarts=1, exited="Sat 2026-11-28 09:12:33.123456 UTC")
    [exit_] = await watcher.exits()
    assert (exit_.component, exit_.host) == ("kubelet", "cp1")


async def test_a_host_that_is_off_has_no_components_and_no_exits(watcher: Watcher, machine: Machine) -> None:
    machine.off = True
    assert await watcher.states() == []
    assert await watcher.exits() == []


async def test_what_is_laid_aside_is_stopped_and_what_comes_back_waits(watcher: Watcher, machine: Machine) -> None:
    machine.look = look(("a1", "etcd", 0, False), aside="etcd.yaml")
    machine.inspected = {"a1": f"a1 0 2026-11-28T09:00:00Z {machine.stamp()} 0 CONTAINER_EXITED"}
    assert {state.state for state in await watcher.states() if state.component == "etcd"} == {"stopped"}
    machine.look = look(("a1", "etcd", 0, False))
    assert {state.state for state in await watcher.states() if state.component == "etcd"} == {"waiting"}
