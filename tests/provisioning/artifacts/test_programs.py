"""The small programs in images, as they are run there."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from idcbench.provisioning import artifacts
from idcbench.provisioning.artifacts.go_tool import environment, find_go
from idcbench.provisioning.artifacts.own_go import own_program

pytestmark = pytest.mark.integration
SOURCES = Path(artifacts.__file__).parent / "programs"
LEASE = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.{}.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n"


def run(name: str, *args: str) -> subprocess.CompletedProcess[str]:
    argv = [str(own_program(SOURCES / name)), *args]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)


def test_the_network_is_configured_as_flannel_leases_it(tmp_path: Path) -> None:
    lease, target = tmp_path / "subnet.env", tmp_path / "10-flannel.conflist"
    program = own_program(SOURCES / "cni-conf")
    argv = [program, f"-lease={lease}", f"-target={target}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for subnet in (3, 4):
            lease.with_suffix(".new").write_text(LEASE.format(subnet))
            lease.with_suffix(".new").replace(lease)
            assert writer.stdout.readline() == f"wrote {target}\n"
            bridge, ports = json.loads(target.read_text())["plugins"]
            assert bridge["ipam"]["ranges"] == [[{"subnet": f"10.244.{subnet}.0/24"}]]
        assert (bridge["mtu"], bridge["ipMasq"], ports["type"]) == (1450, False, "portmap")
        writer.send_signal(signal.SIGTERM)
        assert writer.wait(timeout=10) == 0


def test_a_lease_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "subnet.env").write_text("FLANNEL_MTU=1450\n")
    done = run("cni-conf", "-once", f"-lease={tmp_path / 'subnet.env'}", f"-target={tmp_path / 'x'}")
    assert done.returncode == 1
    assert "FLANNEL_SUBNET, FLANNEL_NETWORK and FLANNEL_MTU are wanted" in done.stderr


def test_the_approver_judges_requests_as_its_own_tests_say() -> None:
    """Whose request, for whose name, at which address: cases in Go beside the program."""
    argv = [str(find_go().path), "test", "./..."]
    folder = SOURCES / "csr-approver"
    done = subprocess.run(argv, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pause_reaps_orphans_and_ends_when_told() -> None:
    """As PID 1 of a namespace: a shell leaves a child that ends after it."""
    pause = own_program(SOURCES / "pause")
    inside = f"(sleep 0.2 & ) ; exec {pause}"
    argv = [
        "unshare",
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "sh",
        "-c",
        inside,
    ]
    with subprocess.Popen(argv) as outer:
        deadline = time.monotonic() + 20
        while (states := _states_below(outer.pid)) != ["pause S"]:
            assert time.monotonic() < deadline, states
            time.sleep(0.05)
        (pid,) = _children(outer.pid)
        subprocess.run(["kill", "-TERM", str(pid)], check=True)
        assert outer.wait(timeout=10) == 0


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _states_below(pid: int) -> list[str]:
    """Name and state of every process below one, zombies among them."""
    found = []
    for child in _children(pid):
        name, state = re.findall(r"\((.*)\) (\w)", Path(f"/proc/{child}/stat").read_text())[0]
        found += [f"{name} {state}", *_states_below(child)]
    return found


@pytest.fixture
def pod() -> Iterator[str]:
    """The address of a serving podtool."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [own_program(SOURCES / "podtool"), "serve", f"--port={port}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        deadline = time.monotonic() + 10
        while run("podtool", "dial", f"127.0.0.1:{port}").returncode:
            assert time.monotonic() < deadline
        yield f"127.0.0.1:{port}"
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0


def test_a_pod_answers_and_a_command_in_another_hears_it(pod: str) -> None:
    assert run("podtool", "fetch", f"http://{pod}/client").stdout == "127.0.0.1\n"
    assert run("podtool", "fetch", f"http://{pod}/dial?address={pod}").returncode == 0
    assert run("podtool", "echo", pod).returncode == 0
    count, seconds = run("podtool", "pull", f"http://{pod}/bytes?count=5000000").stdout.split()
    assert int(count) == 5_000_000
    assert float(seconds) > 0
    assert "127.0.0.1" in run("podtool", "lookup", "localhost").stdout
    assert run("podtool", "fetch", f"http://{pod}/nothing").returncode == 1


def test_health_is_what_a_test_says_it_is(pod: str) -> None:
    assert run("podtool", "fetch", f"http://{pod}/healthz").stdout == "true\n"
    urllib.request.urlopen(f"http://{pod}/healthz?fail=true", data=b"", timeout=5).close()
    with pytest.raises(urllib.error.HTTPError, match="500") as error:
        urllib.request.urlopen(f"http://{pod}/healthz", timeout=5)
    error.value.close()
    assert run("podtool", "fetch", f"http://{pod}/readyz").stdout == "true\n"


def test_files_exit_codes_and_usage(tmp_path: Path) -> None:
    assert run("podtool", "write", str(tmp_path / "f"), "kept").returncode == 0
    assert run("podtool", "read", str(tmp_path / "f")).stdout == "kept\n"
    assert run("podtool", "fail", "7").returncode == 7
    wrong = run("podtool", "dance")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("usage: podtool dial|echo|fail|fetch")
