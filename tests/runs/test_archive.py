"""A run as one archive: the same bytes each time, read again, and nothing of a stranger's archive trusted."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from idcbench.errors import RunError
from idcbench.runs import archive
from idcbench.runs.archive import pack, unpack
from idcbench.runs.directory import Run, create_run
from idcbench.runs.locate import locate_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = create_run(tmp_path / ".idcbench", target_id="embedded")
    made.series("api.latency", unit="ms", better="lower").add_many([1.0, 2.0, 3.0])
    (made.path / "logs" / "etcd.log").write_text("started")
    (made.path / "logs" / "away").symlink_to("/etc/passwd")
    return made


def written(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as opened:
        for info, content in members:
            info.size = len(content)
            opened.addfile(info, io.BytesIO(content))
    return path


def test_what_is_packed_is_read_again_and_a_second_one_is_the_same(run: Run, tmp_path: Path) -> None:
    first, second = pack(run, tmp_path / "a.tar.gz"), pack(run, tmp_path / "b.tgz")
    assert first.read_bytes() == second.read_bytes()
    again = unpack(first, cache=tmp_path / "cache")
    assert again.document() == run.document()
    assert list(again.values("api.latency")) == [1.0, 2.0, 3.0]
    assert (again.path / "logs" / "etcd.log").read_text() == "started"
    assert not (again.path / "logs" / "away").exists()
    assert unpack(second, cache=tmp_path / "cache").path == again.path


def test_a_run_is_located_by_its_archive(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = locate_run(tmp_path / "nowhere", str(pack(run, tmp_path / "a.tar.gz")))
    assert found.document().id == run.document().id


def test_what_looks_like_a_secret_is_not_passed_on(run: Run, tmp_path: Path) -> None:
    (run.path / "logs" / "oops.log").write_text("-----BEGIN EC PRIVATE KEY-----")
    with pytest.raises(RunError, match="holds what looks like a secret"):
        pack(run, tmp_path / "a.tar.gz")
    assert [path.name for path in tmp_path.iterdir()] == [".idcbench"]


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"no tar")], ids=["empty", "no gzip", "no tar"])
def test_what_is_no_archive_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(content)
    with pytest.raises(RunError, match=r"x\.tar\.gz: "):
        unpack(tmp_path / "x.tar.gz", cache=tmp_path / "cache")


def test_an_archive_that_is_cut_is_told_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    whole = pack(run, tmp_path / "a.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError, match="damaged"):
        unpack(tmp_path / "cut.tar.gz", cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_nothing_leaves_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside, linked = tarfile.TarInfo("../../evil"), tarfile.TarInfo("0001_run/link")
    linked.type, linked.linkname = tarfile.SYMTYPE, "/etc/passwd"
    for info in (outside, linked):
        with pytest.raises(RunError):
            unpack(written(tmp_path / "x.tar.gz", (info, b"")), cache=tmp_path / "cache")
    assert not (tmp_path / "evil").exists()
    monkeypatch.setattr(archive, "BYTES_MOST", 10)
    with pytest.raises(RunError, match="unpacks to more than"):
        unpack(written(tmp_path / "x.tar.gz", (tarfile.TarInfo("0001_run/big"), b"x" * 11)), cache=tmp_path / "cache")
