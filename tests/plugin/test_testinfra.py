"""testinfra on a host, over the connection that the cluster has."""

from __future__ import annotations

import subprocess

import pytest

from idcbench.hosts.completed import Completed

testinfra = pytest.importorskip("testinfra")


class Here:
    """This machine as a host of a cluster."""

    name = "here"
    address = "127.0.0.1"

    def run(self, *argv: str, timeout_s: float = 30.0) -> Completed:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False)
        return Completed(self.name, argv, done.returncode, done.stdout, done.stderr)


def test_testinfra_asks_through_the_host() -> None:
    from idcbench.plugin.testinfra_backend import testinfra_of

    seen = testinfra_of(Here())  # type: ignore[arg-type]
    assert seen.file("/etc/passwd").exists
    assert seen.file("/etc/passwd").user == "root"
    assert not seen.file("/no/such/file").exists
    assert seen.check_output("echo %s", "a; b") == "a; b"
    assert seen.run("exit 3").rc == 3
    assert seen.backend.get_pytest_id() == "idcbench://here"
