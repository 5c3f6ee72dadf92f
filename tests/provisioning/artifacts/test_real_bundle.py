"""A real bundle: kubeadm finds its images in it, containerd takes them, and the programs in them run."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idcbench.progress import silent
from idcbench.provisioning.artifacts import SourceOptions, provide
from idcbench.provisioning.artifacts.bundle import Bundle
from idcbench.provisioning.artifacts.bundle_create import Wish, create, listed_images
from idcbench.provisioning.artifacts.bundle_serve import serve
from idcbench.provisioning.artifacts.manifest import sha256
from idcbench.provisioning.artifacts.oci_layer import Entries, lay_out, read_tar
from idcbench.provisioning.artifacts.oci_rooted import run_rooted
from idcbench.provisioning.artifacts.packages import Apt

pytestmark = pytest.mark.integration
WISH = Wish(kubernetes="1.37", distributions=["debian-12"], options=SourceOptions())


@pytest.fixture(scope="module")
def real(apt: Apt, tmp_path_factory: pytest.TempPathFactory) -> Bundle:  # noqa: ARG001 - skips where there is no apt
    """For Debian 12, out of what is cached or is built now."""
    path = tmp_path_factory.mktemp("bundle") / "debian-12.bundle"
    create(WISH, path, progress=silent)
    opened = Bundle.open(path)
    opened.verify()
    return opened


def test_a_second_one_is_the_same_to_the_byte(real: Bundle, tmp_path: Path) -> None:
    create(WISH, tmp_path / "again", progress=silent)
    assert sha256(tmp_path / "again") == sha256(real.path)


def test_it_holds_every_image_that_kubeadm_asks_for(real: Bundle) -> None:
    assert set(listed_images(provide("1.37"))) <= {one.name for one in real.entries("image")}


def test_kubernetes_is_stored_once_as_a_program_and_once_in_images(real: Bundle) -> None:
    names = {"kubelet", "kubeadm", "kubectl"}
    assert len({one.blobs for one in real.entries("binary") if one.name in names}) == 1
    largest = max(real.entries("binary"), key=lambda one: one.size_bytes).blobs[0].size_bytes
    assert real.layout.size_bytes < 6 * largest  # eight copies would be more


@pytest.mark.parametrize(
    ("part", "commands"),
    [
        ("kube-proxy", [["kube-proxy", "--version"], ["nft", "--version"], ["iptables", "--version"]]),
        ("flannel", [["flanneld", "--version"], ["nft", "--version"], ["cni-conf", "-h"]]),
        ("registry", [["docker-registry", "--version"]]),
        ("coredns", [["coredns", "-version"]]),
        ("etcd", [["etcd", "--version"]]),
        ("metrics-server", [["metrics-server", "--version"]]),
        ("podtool", [["podtool", "sleep", "0"]]),
    ],
)
def test_the_programs_of_an_image_run_in_it(real: Bundle, part: str, commands: list[list[str]], tmp_path: Path) -> None:
    files: Entries = {}
    for layer in real.image(part).blobs[2:]:
        with tarfile.open(fileobj=io.BytesIO(b"".join(real.blob(layer))), mode="r:gz") as archive:
            files |= dict(read_tar(archive))
    lay_out(files, tmp_path)
    for command in commands:
        run_rooted(tmp_path, command, environment={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin"}, limit_s=30)


@pytest.fixture(scope="module")
def ctr(real: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """A containerd of the bundle's own package, and how to talk to it."""
    if os.geteuid() != 0:
        pytest.skip("containerd wants root")
    folder = tmp_path_factory.mktemp("containerd")
    (package,) = [one for one in real.entries("package") if one.name == "containerd"]
    (folder / "containerd.deb").write_bytes(b"".join(real.chunks(package)))
    subprocess.run(["dpkg-deb", "--extract", folder / "containerd.deb", folder / "root"], check=True)
    (folder / "config.toml").write_text(
        f'version = 2\nroot = "{folder}/lib"\nstate = "{folder}/run"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\naddress = "{folder}/socket"\n[ttrpc]\naddress = "{folder}/ttrpc"\n'
    )
    programs = folder / "root/usr/bin"
    with (folder / "log").open("w") as log:
        daemon = subprocess.Popen(
            [programs / "containerd", "--config", folder / "config.toml"], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 30
        while not (folder / "socket").exists():
            assert daemon.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield [str(programs / "ctr"), f"--address={folder}/socket", "--namespace=k8s.io"]
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(timeout=30)


def test_containerd_imports_all_images_from_one_stream(real: Bundle, ctr: list[str]) -> None:
    images = real.entries("image")
    with subprocess.Popen([*ctr, "images", "import", "--no-unpack", "-"], stdin=subprocess.PIPE) as importing:
        assert importing.stdin is not None
        for chunk in real.image_archive(images):
            importing.stdin.write(chunk)
    assert importing.returncode == 0
    listed = subprocess.run([*ctr, "images", "check"], capture_output=True, text=True, timeout=60, check=True).stdout
    rows = {line.split()[0]: line for line in listed.splitlines()[1:]}
    assert set(rows) >= {one.name for one in images}
    assert all("complete" in rows[one.name] and one.sha256 in rows[one.name] for one in images)


def test_containerd_pulls_from_a_served_bundle(real: Bundle, ctr: list[str]) -> None:
    with serve(real, bind="127.0.0.1", port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            address = f"127.0.0.1:{server.server_address[1]}"
            for part in ("pause", "podtool"):
                reference = f"{address}/{real.image(part).name.partition('/')[2]}"
                subprocess.run([*ctr, "images", "pull", "--plain-http", reference], timeout=60, check=True)
        finally:
            server.shutdown()
            thread.join()
