"""The image is a whole OCI layout, gives nothing away, and runs read-only as a stranger."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path

import pytest
from locked_container import command, forbidding
from oci_layout import Layout

from idcbench.scheduler.core import kernels
from idcbench.scheduler.deploy import image as recipe
from idcbench.scheduler.deploy.image import without_addresses
from idcbench.scheduler.deploy.manifests import USER

LIMIT_S = 60.0


class Inlined:
    """Something whose repr has an address."""


def ran(layout: Layout, argv: list[str], *, without: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in layout.environment.items() if name != without}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def test_a_kernel_without_addresses_is_the_same_from_process_to_process() -> None:
    one, two = (pickle.dumps(("place", f"# dispatcher(<function place at 0x7f{n}d4da80>)  :: x")) for n in (1, 2))
    assert one != two
    assert without_addresses(one) == without_addresses(two)
    assert pickle.loads(without_addresses(one)) == ("place", "# dispatcher(<function place at 0x000000000>)  :: x")


@pytest.mark.integration
def test_the_layout_is_whole_and_says_how_it_runs(layout: Layout) -> None:
    config = layout.config
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert config["config"]["User"] == f"{USER}:{USER}"
    assert tuple(config["config"]["Entrypoint"]) == recipe.ENTRYPOINT
    assert layout.environment == recipe.ENVIRONMENT
    assert len(layout.layers) == 3


@pytest.mark.integration
def test_its_files_are_roots_and_anybody_may_read_them(layout: Layout) -> None:
    """A container's user owns none of them, so what is not for all is for nobody; and none makes root of anybody."""
    members = layout.members()
    assert {(one.uid, one.gid) for one in members.values()} == {(0, 0)}
    files = {path: one.mode for path, one in members.items() if one.isfile()}
    folders = {path: one.mode for path, one in members.items() if one.isdir()}
    links = [path for path, one in members.items() if one.issym()]
    assert len(files) + len(folders) + len(links) == len(members)
    kept = [path for path in files if path.startswith(f"{recipe.KERNELS}/") and path.endswith(".nbc")]
    assert len(kept) == len(kernels.ENTRIES)
    assert not [path for path, mode in files.items() if mode & 0o6022]
    assert [path for path, mode in folders.items() if mode & 0o6022] == ["tmp"]
    needed = [path for path in files if path.startswith(("opt/", "usr/lib/python"))]
    assert not [path for path in needed if not files[path] & 0o004]
    assert f"{recipe.SITE}/idcbench/scheduler/core/__pycache__/kernels.cpython-311.pyc" in files


@pytest.mark.integration
def test_no_kernel_has_an_address(root: Path) -> None:
    for kernel in (root / recipe.KERNELS).rglob("*.nbc"):
        content = kernel.read_bytes()
        assert b" at 0x" in content
        assert without_addresses(content) == content


@pytest.mark.integration
def test_its_entry_point_runs_read_only_as_a_stranger(layout: Layout, root: Path) -> None:
    entrypoint, user = layout.config["config"]["Entrypoint"], layout.config["config"]["User"]
    done = ran(layout, command(root, user, [*entrypoint, "--help"]))
    assert done.returncode == 0, done.stderr
    assert "Schedule pods until SIGTERM" in done.stdout
    probe = (
        "import os, errno, sys\n"
        "assert (os.getuid(), os.getgid()) == (65532, 65532)\n"
        "status = open('/proc/self/status').read()\n"
        "assert 'CapEff:\\t0000000000000000' in status and 'NoNewPrivs:\\t1' in status, status\n"
        "for place in ('/tmp/x', '/x', '/opt/idcbench/kernels/x', '/var/x'):\n"
        "    try: open(place, 'w')\n"
        "    except OSError as error: assert error.errno == errno.EROFS, error\n"
        "    else: sys.exit(place)\n"
    )
    done = ran(layout, command(root, user, [entrypoint[0], "-c", probe]))
    assert done.returncode == 0, done.stderr


@pytest.mark.integration
def test_its_kernels_serve_on_any_processor(layout: Layout, root: Path) -> None:
    """All are loaded where the compiler is forbidden; for the very processor there are none, which is noticed."""
    user, python = layout.config["config"]["User"], layout.config["config"]["Entrypoint"][0]
    argv = command(root, user, [*forbidding([python, "-m", "idcbench.cli.main"]), "scheduler", "warm"])
    done = ran(layout, argv)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"0 of {len(kernels.ENTRIES)} kernels compiled")
    done = ran(layout, argv, without="NUMBA_CPU_NAME")
    assert done.returncode != 0
    assert "the compiler was called" in done.stderr
