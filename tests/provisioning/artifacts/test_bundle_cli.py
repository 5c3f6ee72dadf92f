"""`idcbench bundle`: what a user sees."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from idcbench.cli.bundle import bundle
from idcbench.errors import ArtifactError, UsageError

from .bundles import written

COMMAND = [sys.executable, "-m", "idcbench.cli.main", "bundle"]


def run(*args: str) -> Result:
    return CliRunner().invoke(bundle, args, catch_exceptions=False)


def test_a_list_says_what_each_is_and_where_from(tmp_path: Path) -> None:
    said = run("list", str(written(tmp_path, {"kubelet": b"k" * 2_000_000}, images=True))).output
    assert "Kubernetes 1.37.2 for amd64, debian-12: 1 binaries, 3 images, 0 packages; by a test" in said
    assert re.search(r"binary +kubelet +1 +2\.0 MB +2\.0 MB +[0-9a-f]{12}… +a test", said)
    assert "registry.k8s.io/coredns/coredns:v1.14.6" in said


def test_verify_says_that_all_is_whole(tmp_path: Path) -> None:
    assert "all 1 blobs are whole" in run("verify", str(written(tmp_path, {"kubelet": b"k"}))).output


def test_damage_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    path = written(tmp_path, {"kubelet": b"k" * 700})
    path.write_bytes(path.read_bytes().replace(b"kkk", b"kkj", 1))
    done = subprocess.run([*COMMAND, "verify", path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 6
    assert re.fullmatch(r"error: .*kubelet is damaged .*bundle create`\n", done.stderr)


@pytest.mark.parametrize(
    ("args", "error", "said"),
    [
        (("--distribution", "suse"), UsageError, "there are debian-12, debian-13"),
        (("--kubernetes", "1.2"), UsageError, "1.2 is not supported"),
        (("--mirror", "ftp://x"), UsageError, "not an http or https URL"),
        (("--artifacts", "/none"), UsageError, "no such directory"),
    ],
)
def test_what_cannot_be_made_is_told(tmp_path: Path, args: tuple[str, ...], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        run("create", "-o", str(tmp_path / "x"), *args)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told() -> None:
    with pytest.raises(ArtifactError, match="there is no folder /none"):
        run("create", "-o", "/none/x")


def test_a_folder_that_cannot_be_written_is_told() -> None:
    with pytest.raises(ArtifactError, match=r"/sys/x cannot be made: .*; free about 1 GB there, or name another place"):
        run("create", "-o", "/sys/x")


def test_serve_answers_until_it_is_ended(tmp_path: Path) -> None:
    path = written(tmp_path, {"kubelet": b"k"})
    with subprocess.Popen([*COMMAND, "serve", path, "--port", "0"], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline())
            assert found
            connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=5)
            connection.request("GET", "/bundle.json")
            assert b'"kubernetes": "1.37.2"' in connection.getresponse().read()
            connection.close()
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 2


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, {"kubelet": b"k"})
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UsageError, match="name others by --bind, --port"),
    ):
        run("serve", str(path), "--port", str(taken.getsockname()[1]))
