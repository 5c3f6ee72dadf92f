"""`idcbench artifacts`: list, get, verify, prune."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from idcbench.cli.artifacts import Steps, artifacts
from idcbench.errors import ArtifactError, UsageError
from idcbench.progress import silent
from idcbench.provisioning.artifacts.lock import alone
from idcbench.provisioning.artifacts.store import Store

from .conftest import FakeGo, Site, sha256


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of the commands."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("IDCBENCH_MIRROR", raising=False)
    return tmp_path / "idcbench"


def run(*args: str) -> Result:
    """Run a command; an error of ours comes out as it would reach the main command."""
    return CliRunner().invoke(artifacts, args, catch_exceptions=False)


@pytest.fixture
def filled(fake_go: FakeGo) -> FakeGo:
    """A cache that holds 1.37.2."""
    run("get", "--no-download")
    return fake_go


def test_get_says_what_it_got_and_where(fake_go: FakeGo, cache: Path) -> None:
    result = run("get", "1.37.2", "--no-download")
    assert "Kubernetes 1.37.2, etcd 3.7.3, KWOK 0.8.0: built from Go modules (go1.26.8)\n" in result.stdout
    assert (Path(result.stdout.splitlines()[-1]) / "kubectl").exists()
    assert "compiling Kubernetes 1.37.2" in result.stderr
    assert cache in Path(result.stdout.splitlines()[-1]).parents
    assert len(fake_go.calls("build")) == 3


def test_get_from_the_mirror_of_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add_release()
    monkeypatch.setenv("IDCBENCH_MIRROR", site.url)
    assert "mirror of the official release" in run("get", "--no-build").stdout
    assert "mirror of the official release" in run("get", "--mirror", "http://127.0.0.1:9", "--no-build").stdout


@pytest.mark.parametrize(
    "args", [("get", "1.99"), ("get", "abc"), ("get", "--artifacts", "/nowhere"), ("get", "--mirror", "x")]
)
def test_bad_input_is_a_usage_error(args: tuple[str, ...], cache: Path) -> None:
    with pytest.raises(UsageError):
        run(*args)
    assert not cache.exists()


def test_an_empty_cache_says_how_to_fill_it() -> None:
    assert "nothing is cached" in run("list").stdout
    assert "0.0 MB freed" in run("prune").stdout
    with pytest.raises(UsageError, match="idcbench artifacts get"):
        run("verify")


@pytest.mark.usefixtures("filled")
def test_list_shows_versions_sizes_origin_and_digests(cache: Path) -> None:
    listed = run("list").stdout
    for told in (
        "kubernetes  1.37.2",
        "etcd",
        "3.7.3",
        "kwok",
        "0.0 MB",
        "built from Go modules (go1.26.8)",
        "kube-apiserver and 6 more names",
    ):
        assert told in listed
    (etcd,) = cache.glob("store/etcd-*/*/etcd")
    assert sha256(etcd.read_bytes())[:12] in listed
    digests = run("list", "--digests").stdout
    assert subprocess.run(["sha256sum", "--check"], input=digests, text=True, capture_output=True).returncode == 0
    assert len(digests.splitlines()) == 9


@pytest.mark.usefixtures("filled")
def test_verify_passes_what_is_whole_and_fails_on_a_flipped_bit(cache: Path) -> None:
    assert run("verify").stdout.count(": ok") == 3
    (program,) = cache.glob("store/kubernetes-*/*/kubernetes")
    before = program.stat()
    program.write_bytes(program.read_bytes().replace(b"echo", b"echn"))
    os.utime(program, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ArtifactError, match=r"1 of 3 entries of the cache are damaged.*artifacts get 1\.37"):
        run("verify", "1.37")
    assert "kubernetes" not in run("list").stdout
    run("get", "--no-download")
    assert run("verify", "1.37").stdout.count(": ok") == 3


@pytest.mark.usefixtures("filled")
def test_verify_of_a_version_that_is_not_cached_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"Kubernetes 1\.36 is not cached"):
        run("verify", "1.36")


def test_prune_keeps_the_last_used(filled: FakeGo, cache: Path) -> None:
    filled.versions = (*filled.versions, "v1.37.1", "v1.37.0")
    filled.save()
    run("get", "1.37.1", "--no-download")
    run("get", "1.37.0", "--no-download")
    for number, version in enumerate(["1.37.0", "1.37.2", "1.37.1"]):
        (manifest,) = cache.glob(f"store/kubernetes-{version}-*/*/manifest.json")
        os.utime(manifest, (number, number))
    assert "removed kubernetes 1.37.0" in run("prune", "--keep", "2").stdout
    pruned = run("prune").stdout
    assert "removed kubernetes 1.37.2" in pruned
    assert "etcd" not in pruned
    assert [folder.name.split("-")[1] for folder in sorted((cache / "store").glob("kubernetes-*"))] == ["1.37.1"]
    assert len(list((cache / "sets").iterdir())) == 1  # the links to what is gone are gone too
    assert run("prune", "--keep", "0").stdout.count("removed") == 3
    assert not list((cache / "store").iterdir())


@pytest.mark.usefixtures("filled")
def test_prune_removes_what_is_unfinished_or_damaged(cache: Path) -> None:
    (cache / "staging/kubernetes-1.36.3-linux-amd64").mkdir()
    (cache / "staging/.trash-1-x").mkdir()
    (manifest,) = cache.glob("store/etcd-*/*/manifest.json")
    manifest.rename(manifest.with_name("damaged.json"))
    pruned = run("prune").stdout
    assert "removed unfinished kubernetes-1.36.3-linux-amd64" in pruned
    assert "removed damaged etcd-3.7.3" in pruned
    assert not list((cache / "staging").iterdir())
    assert not list((cache / "store").glob("etcd-*"))


@pytest.mark.usefixtures("filled")
def test_prune_leaves_what_another_process_works_at(cache: Path) -> None:
    key = "kubernetes-1.36.3-linux-amd64"
    (cache / "staging" / key).mkdir()
    with alone(Store(cache).lock_path(key), doing="it", progress=silent):
        assert f"kept unfinished {key}: another idcbench is at work on it" in run("prune").stdout
    assert (cache / "staging" / key).exists()
    (entry,) = cache.glob("store/etcd-*/*")
    with alone(Store(cache).lock_path(entry.parent.name), doing="it", progress=silent):
        assert "another idcbench is providing it" in run("prune", "--keep", "0").stdout
    assert list(cache.glob("store/*/*")) == [entry]


@pytest.mark.usefixtures("filled")
def test_prune_leaves_what_a_process_runs_from(cache: Path) -> None:
    (etcd,) = cache.glob("store/etcd-*/*/etcd")
    etcd.unlink()
    shutil.copy(shutil.which("sleep") or "", etcd)
    process = subprocess.Popen([str(etcd), "30"])
    try:
        assert f"in use by process {process.pid}" in run("prune", "--keep", "0").stdout
        assert etcd.exists()
    finally:
        process.kill()
        process.wait()


def test_progress_is_a_line_per_step_and_one_each_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    steps = Steps()
    for at, what in [(1, "a"), (2, "a"), (10.5, "a"), (11.5, "a"), (12, "a"), (13, "b"), (24, "b")]:
        now = float(at)
        steps(what, done=at, total=30 if what == "a" else None, unit="packages")
    assert capsys.readouterr().err.splitlines() == ["a", "  10 s, 12 of 30 packages", "b", "  11 s, 24 packages"]


def test_the_go_programs_are_part_of_the_package() -> None:
    code = (
        "from importlib import resources\n"
        "print([(resources.files('idcbench.provisioning.artifacts') / 'mains' / name).read_text().count('func main()')"
        " for name in ('kubernetes.go', 'etcd.go')])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[1, 1]\n"
