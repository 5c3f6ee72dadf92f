"""One file over HTTP, from a server that does all that servers do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idcbench.errors import ArtifactError
from idcbench.progress import silent
from idcbench.provisioning.artifacts import download
from idcbench.provisioning.artifacts.download import fetch_file, fetch_text, shown
from idcbench.provisioning.artifacts.failure import WayFailedError
from idcbench.provisioning.artifacts.options import Patience

from .conftest import QUICK, Said, Site, sha256

CONTENT = bytes(range(256)) * 4000


def fetch(site: Site, to: Path, content: bytes = CONTENT, progress: Said | None = None) -> None:
    fetch_file(
        f"{site.url}/f", to, digest=sha256(content), what="downloading f", progress=progress or silent, patience=QUICK
    )


def test_a_good_file_arrives_and_its_progress_is_shown(site: Site, tmp_path: Path, said: Said) -> None:
    site.files["/f"] = CONTENT
    fetch(site, tmp_path / "f", progress=said)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert said.amounts[-1] == ("downloading f", len(CONTENT) / 1e6, len(CONTENT) / 1e6, "MB")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_file_that_is_there_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(CONTENT)
    fetch(site, tmp_path / "f")
    assert site.asked == []


def test_a_wrong_digest_is_refused_and_nothing_is_kept(site: Site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT[:-1] + b"!"
    with pytest.raises(WayFailedError, match=f"wrong digest.*{sha256(CONTENT)}"):
        fetch(site, tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_a_cut_connection_is_gone_on_from(site: Site, tmp_path: Path) -> None:
    site.files["/f"], site.cuts["/f"] = CONTENT, [300_000, 200_000]
    fetch(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert site.fetched("/f") == [None, "bytes=300000-", "bytes=500000-"]


def test_a_killed_fetch_is_gone_on_from(site: Site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT
    (tmp_path / "f.part").write_bytes(CONTENT[:1000])
    fetch(site, tmp_path / "f")
    assert site.fetched("/f") == ["bytes=1000-"]
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_fetch_killed_before_its_rename_asks_for_nothing(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT)
    fetch(site, tmp_path / "f")
    assert site.asked == []


def test_the_beginning_of_another_file_is_thrown_away(site: Site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT
    (tmp_path / "f.part").write_bytes(b"other" * 100)
    fetch(site, tmp_path / "f")
    assert site.fetched("/f") == ["bytes=500-", None]
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(site: Site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT
    (tmp_path / "f.part").write_bytes(CONTENT * 2)
    fetch(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_server_without_ranges_serves_too(site: Site, tmp_path: Path) -> None:
    site.files["/f"], site.cuts["/f"], site.no_ranges = CONTENT, [300_000], True
    fetch(site, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_connection_cut_each_time_is_given_up_and_what_came_is_kept(site: Site, tmp_path: Path) -> None:
    site.files["/f"], site.cuts["/f"] = CONTENT, [1000] * 9
    with pytest.raises(WayFailedError, match=r"cut after 3,000 of 1,024,000 bytes; 3 tries"):
        fetch(site, tmp_path / "f")
    assert (tmp_path / "f.part").read_bytes() == CONTENT[:3000]


def test_a_busy_server_is_asked_again(site: Site, tmp_path: Path) -> None:
    site.files["/f"], site.statuses["/f"] = CONTENT, [503, 429]
    fetch(site, tmp_path / "f")
    assert len(site.asked) == 3


def test_a_file_that_is_not_there_is_asked_for_once(site: Site, tmp_path: Path) -> None:
    with pytest.raises(WayFailedError, match="/f: HTTP 404"):
        fetch(site, tmp_path / "f")
    assert len(site.asked) == 1


def test_a_slow_server_is_given_up_with_its_rate(site: Site, tmp_path: Path) -> None:
    site.files["/f"], site.slow = CONTENT, {"/f"}
    began = time.monotonic()
    with pytest.raises(WayFailedError, match=r"too slow: 0\.\d KiB/s") as failed:
        fetch(site, tmp_path / "f")
    assert time.monotonic() - began < 5
    assert "--mirror" in failed.value.remedy
    assert (tmp_path / "f.part").stat().st_size > 0


def test_a_server_that_falls_silent_is_given_up(site: Site, tmp_path: Path) -> None:
    site.silent = {"/f"}
    patience = Patience(stall_s=0.2, retries=1, pause_s=0)
    with pytest.raises(WayFailedError, match="timed out; 2 tries"):
        fetch_file(f"{site.url}/f", tmp_path / "f", digest="0" * 64, what="f", progress=silent, patience=patience)


def test_a_text_that_does_not_come_ends_within_its_time(site: Site) -> None:
    site.silent = {"/f.sha256"}
    began = time.monotonic()
    with pytest.raises(WayFailedError, match=r"(no answer within 0\.2 s|timed out)"):
        fetch_text(f"{site.url}/f.sha256", patience=Patience(reach_s=0.2))
    assert time.monotonic() - began < 2


def test_a_name_that_does_not_resolve_is_told() -> None:
    with pytest.raises(WayFailedError, match=r"mirror\.invalid/f: the name cannot be resolved"):
        fetch_text("http://mirror.invalid/f", patience=QUICK)


def test_a_disk_too_small_is_told_before_anything_is_written(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["/f"] = CONTENT
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ArtifactError, match=r"no space left.*1,024,000 bytes are missing, 1,000 free.*XDG_CACHE_HOME"):
        fetch(site, tmp_path / "f")


def test_what_progress_raises_ends_the_transfer(site: Site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_file(f"{site.url}/f", tmp_path / "f", digest="0" * 64, what="f", progress=stop, patience=QUICK)


def test_a_password_is_sent_but_never_shown(site: Site, tmp_path: Path) -> None:
    site.files["/f"] = CONTENT
    url = site.url.replace("http://", "http://me:s%40cret@")
    fetch_file(f"{url}/f", tmp_path / "f", digest=sha256(CONTENT), what="f", progress=silent, patience=QUICK)
    assert site.authorizations == ["Basic bWU6c0BjcmV0"]
    with pytest.raises(WayFailedError) as failed:
        fetch_file(f"{url}/g", tmp_path / "g", digest="0" * 64, what="g", progress=silent, patience=QUICK)
    assert "cret" not in str(failed.value)
    assert shown("https://me:secret@host:8443/path") == "https://host:8443/path"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=2000), cuts=st.lists(st.integers(0, 2000), max_size=2), there=st.integers(0, 2000))
def test_wherever_it_is_cut_the_file_is_whole(
    site: Site, tmp_path: Path, content: bytes, cuts: list[int], there: int
) -> None:
    site.files["/f"], site.cuts["/f"] = content, cuts.copy()
    (tmp_path / "f").unlink(missing_ok=True)
    (tmp_path / "f.part").write_bytes(content[:there])
    fetch(site, tmp_path / "f", content)
    assert (tmp_path / "f").read_bytes() == content
