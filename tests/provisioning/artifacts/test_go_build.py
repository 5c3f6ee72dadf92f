"""Builds by a `go` that only pretends to compile: what is asked of it, and what becomes of its failures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from idcbench.errors import ArtifactError, UsageError
from idcbench.provisioning.artifacts import SourceOptions, go_build, go_tool, provide
from idcbench.provisioning.artifacts.go_count import is_module, is_package
from idcbench.provisioning.artifacts.go_tool import how_to_get_go
from idcbench.provisioning.artifacts.parts import BINARIES

from .conftest import FakeGo, Said


def until(condition: Callable[[], object], *, timeout_s: float = 15.0) -> None:
    """Wait for something another process does."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def elsewhere(cache: Path) -> subprocess.Popen[bytes]:
    """Another process that provides from a build."""
    code = (
        "import pathlib, sys\n"
        "from idcbench.provisioning.artifacts import SourceOptions, provide\n"
        "provide(options=SourceOptions(cache=pathlib.Path(sys.argv[1]), mirror=None, download=False))\n"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(cache)])


def compiled_before(cache: Path) -> list[str]:
    """The packages that idcbench has seen compiled."""
    journals = list(cache.glob("staging/kubernetes-*/build/compiled.txt"))
    return journals[0].read_text().splitlines() if journals else []


def gone(pid: int) -> bool:
    """Whether a process has ended (it may still wait for its parent to notice)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_build_gives_all_programs(fake_go: FakeGo, options: Callable[..., SourceOptions], said: Said) -> None:
    got = provide(options=options(download=False), progress=said)
    assert got.provenance == "built from Go modules (go1.26.8)"
    assert (got.kubernetes, got.etcd, got.kwok) == ("1.37.2", "3.7.3", "0.8.0")
    assert {name for name in got.digests if (got.folder / name).is_file()} == {*BINARIES["kubernetes"], "etcd", "kwok"}
    assert len({got.digests[name] for name in BINARIES["kubernetes"]}) == 1
    flags = fake_go.calls("build")[0]
    assert "-trimpath -buildvcs=false" in flags
    assert f"-p {len(os.sched_getaffinity(0))} " in flags
    assert "gitVersion=v1.37.2" in flags
    assert "buildDate=2026-10-27T12:01:04Z" in flags


@pytest.mark.usefixtures("fake_go")
def test_how_long_it_takes_is_said_before_and_packages_are_counted(
    options: Callable[..., SourceOptions], said: Said
) -> None:
    provide(options=options(download=False), progress=said)
    compiling = [amount for amount in said.amounts if amount[0].startswith("compiling Kubernetes 1.37.2")]
    assert " min on " in compiling[0][0]
    assert [(done, total, unit) for _, done, total, unit in compiling] == [(n, 4, "packages") for n in range(5)]


def test_a_killed_build_goes_on_where_it_was(
    fake_go: FakeGo, options: Callable[..., SourceOptions], said: Said
) -> None:
    fake_go.hang_at = "k8s.io/apimachinery"
    fake_go.save()
    process = elsewhere(options().cache)
    until(lambda: fake_go.hanging and len(compiled_before(options().cache)) == 3)
    process.kill()
    process.wait()
    until(lambda: gone(fake_go.hanging or 0))  # go dies with the idcbench that it worked for
    assert list((options().cache / "store").glob("*/*")) == []
    fake_go.hang_at = ""
    fake_go.save()
    provide(options=options(download=False), progress=said)
    compiling = [done for what, done, *_ in said.amounts if what.startswith("compiling Kubernetes")]
    assert compiling == [3, 4]  # three packages were begun before; only the last is new
    assert list((options().cache / "staging").iterdir()) == []


def test_two_at_once_build_once_and_the_second_says_that_it_waits(
    fake_go: FakeGo, options: Callable[..., SourceOptions]
) -> None:
    fake_go.hang_at = "main"
    fake_go.save()
    process = elsewhere(options().cache)
    until(lambda: fake_go.hanging)
    waits = []

    def progress(what: str, **_: object) -> None:
        if what.startswith("waiting"):
            waits.append(what)
            fake_go.go_on()

    got = provide(options=options(download=False), progress=progress)
    assert process.wait() == 0
    assert f"waiting for another idcbench (pid {process.pid}) that is providing Kubernetes 1.37.2" in waits
    assert len(fake_go.calls("build")) == 3  # one for each part, whoever did it
    assert got.kubernetes == "1.37.2"


def test_what_a_killed_idcbench_left_compiling_is_waited_for(
    fake_go: FakeGo, options: Callable[..., SourceOptions]
) -> None:
    fake_go.hang_at, fake_go.quiet = "main", True  # as in a link, which prints nothing and so outlives us
    fake_go.save()
    process = elsewhere(options().cache)
    until(lambda: fake_go.hanging)
    process.kill()
    process.wait()
    waits = []

    def progress(what: str, **_: object) -> None:
        if what.startswith("waiting"):
            waits.append(what)
            fake_go.go_on()

    provide(options=options(download=False), progress=progress)
    assert waits


def test_what_progress_raises_ends_the_build_at_once(fake_go: FakeGo, options: Callable[..., SourceOptions]) -> None:
    fake_go.hang_at = "fmt"
    fake_go.save()

    def stop(*_: object, **__: object) -> None:
        if fake_go.hanging:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        provide(options=options(download=False), progress=stop)
    assert fake_go.hanging
    assert gone(fake_go.hanging)


def test_a_wait_can_be_ended_too(fake_go: FakeGo, options: Callable[..., SourceOptions]) -> None:
    fake_go.hang_at = "fmt"
    fake_go.save()
    process = elsewhere(options().cache)
    until(lambda: fake_go.hanging)

    def stop(what: str, **_: object) -> None:
        if what.startswith("waiting"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        provide(options=options(download=False), progress=stop)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_compile_error_is_told_with_its_last_lines(fake_go: FakeGo, options: Callable[..., SourceOptions]) -> None:
    fake_go.fail = "# k8s.io/api\nv1/types.go:7: undefined: Pod"
    fake_go.save()
    with pytest.raises(ArtifactError, match=r"`go build` ended with 1: .*types.go:7: undefined: Pod"):
        provide(options=options(download=False))


def test_a_disk_that_fills_during_the_build_is_told(fake_go: FakeGo, options: Callable[..., SourceOptions]) -> None:
    fake_go.fail = "compile: writing output: write $WORK/b001/_pkg_.a: no space left on device"
    fake_go.save()
    with pytest.raises(ArtifactError, match=r"no space left below .*GOCACHE"):
        provide(options=options(download=False))


def test_a_build_is_not_begun_without_space(
    fake_go: FakeGo, options: Callable[..., SourceOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(go_build.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 5_000_000}))
    with pytest.raises(ArtifactError, match=r"no space left below .* to build Kubernetes 1\.37\.2: 0\.0 GB free"):
        provide(options=options(download=False))
    assert fake_go.calls("build") == []


def test_a_compiler_killed_for_memory_is_told(fake_go: FakeGo, options: Callable[..., SourceOptions]) -> None:
    fake_go.fail = "k8s.io/api: /usr/lib/go/pkg/tool/compile: signal: killed"
    fake_go.save()
    with pytest.raises(ArtifactError, match="GiB of memory"):
        provide(options=options(download=False))


def test_a_program_that_says_another_version_is_refused(fake_go: FakeGo, options: Callable[..., SourceOptions]) -> None:
    fake_go.says = "v1.36.0"
    fake_go.save()
    with pytest.raises(ArtifactError, match=r"says that it is 1\.36\.0, not 1\.37\.2"):
        provide(options=options(download=False))
    assert list((options().cache / "store").glob("*/*")) == []


@pytest.mark.usefixtures("fake_go")
def test_a_known_version_that_the_proxy_lacks_names_the_proxy(options: Callable[..., SourceOptions]) -> None:
    with pytest.raises(
        ArtifactError, match=r"(?s)k8s.io/kubernetes@v1.37.1: reading proxy: 404 Not Found.*GOPROXY=URL"
    ):
        provide("1.37.1", options=options(download=False))


@pytest.mark.usefixtures("fake_go")
def test_a_patch_that_nobody_has_is_a_usage_error(options: Callable[..., SourceOptions]) -> None:
    with pytest.raises(UsageError, match=r"Kubernetes 1\.37\.99 .*1\.37 \(to 1\.37\.2\)"):
        provide("1.37.99", options=options(download=False))
    assert list((options().cache / "staging").iterdir()) == []


def test_a_patch_newer_than_the_table_is_built_when_the_proxy_has_it(
    fake_go: FakeGo, options: Callable[..., SourceOptions]
) -> None:
    fake_go.versions = (*fake_go.versions, "v1.37.7")
    fake_go.save()
    assert provide("1.37.7", options=options(download=False)).kubernetes == "1.37.7"


@pytest.mark.parametrize(
    ("version", "toolchain", "says"),
    [
        ("go1.19.8", "", "is go1.19.8, Go 1.26.0 is needed"),
        ("go1.24.1", "local", "GOTOOLCHAIN=local forbids"),
        ("go1.24.1", "go1.24.1", "GOTOOLCHAIN=go1.24.1 forbids"),
    ],
)
def test_a_go_too_old_is_told_with_what_to_type(
    fake_go: FakeGo, options: Callable[..., SourceOptions], version: str, toolchain: str, says: str
) -> None:
    fake_go.version, fake_go.toolchain = version, toolchain
    fake_go.save()
    with pytest.raises(ArtifactError) as failed:
        provide(options=options(download=False))
    assert says in str(failed.value)
    assert "GOTOOLCHAIN=auto" in str(failed.value) or "install" in str(failed.value)
    assert fake_go.calls("build") == []


@pytest.mark.parametrize("toolchain", ["auto", "path", "go1.24.1+auto"])
def test_an_older_go_that_may_fetch_its_toolchain_will_do(
    fake_go: FakeGo, options: Callable[..., SourceOptions], toolchain: str
) -> None:
    fake_go.version, fake_go.toolchain = "go1.22.0", toolchain
    fake_go.save()
    assert provide(options=options(download=False)).kubernetes == "1.37.2"


def test_without_go_the_line_that_installs_it_is_told(
    options: Callable[..., SourceOptions], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(go_tool, "_ELSEWHERE", ())
    with pytest.raises(ArtifactError, match="there is no `go` on PATH"):
        provide(options=options(download=False))


@pytest.mark.parametrize(
    ("os_release", "line"),
    [
        ({"ID": "debian", "VERSION_CODENAME": "bookworm"}, "apt-get install -y -t bookworm-backports golang-go"),
        ({"ID": "debian", "VERSION_CODENAME": "trixie"}, "apt-get install -y golang-go"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "apt-get install -y golang-go"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "dnf install -y golang"),
        ({"ID": "fedora"}, "dnf install -y golang"),
        ({}, "https://go.dev/doc/install"),
    ],
)
def test_the_line_fits_the_distribution(os_release: dict[str, str], line: str) -> None:
    assert line in how_to_get_go(os_release)


def test_what_go_prints_is_told_apart() -> None:
    assert is_package("k8s.io/api/core/v1")
    assert not any(map(is_package, ["", "go: downloading x v1", "# k8s.io/api", "\tundefined"]))
    assert is_module("go: downloading github.com/spf13/cobra v1.10.2")
    assert not is_module("k8s.io/api")
