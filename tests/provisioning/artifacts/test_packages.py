"""Packages: where they are from, and what is said where they cannot be had."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from idcbench.errors import ArtifactError, UsageError
from idcbench.provisioning.artifacts import packages
from idcbench.provisioning.artifacts.packages import Apt, Package, check_distribution, sources

KEY = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"


def test_this_machines_mirrors_serve_every_release() -> None:
    own = [("bookworm", "http://mirror/debian/"), ("bookworm-updates", "http://mirror/debian/"),
           ("bookworm-backports", "http://other/"), ("bookworm-security", "http://mirror/security/")]  # fmt: skip
    assert sources("trixie", own) == [
        f"deb {KEY} http://mirror/debian/ trixie main",
        f"deb {KEY} http://mirror/debian/ trixie-updates main",
        f"deb {KEY} http://mirror/security/ trixie-security main",
    ]


def test_a_machine_that_is_no_debian_takes_debians_own_site() -> None:
    assert sources("bookworm", [])[0] == f"deb {KEY} http://deb.debian.org/debian bookworm main"


def test_an_unknown_distribution_is_refused_with_those_there_are() -> None:
    assert check_distribution("debian-12") == "debian-12"
    with pytest.raises(UsageError, match="suse-1: no packages are known for it; there are debian-12, debian-13"):
        check_distribution("suse-1")


def test_without_apt_it_says_where_to_do_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ArtifactError, match="which this machine lacks; create the bundle on Debian or Ubuntu"):
        Apt.ready("debian-12", "amd64", cache=tmp_path)


def test_without_debians_key_it_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in ("apt-get", "apt-cache", "dpkg-deb"):
        (tmp_path / tool).write_text("#!/bin/sh\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(packages, "_KEYRING", tmp_path / "none.gpg")
    with pytest.raises(ArtifactError, match="sudo apt-get install debian-archive-keyring"):
        Apt.ready("debian-12", "amd64", cache=tmp_path)


@pytest.mark.integration
def test_with_the_packages_a_minimal_host_lacks_nothing_and_without_any_one_it_does(apt: Apt, tmp_path: Path) -> None:
    """What the package files say of themselves, on what a minimal host has: apt finds every dependency met."""
    chosen = apt.closure(packages.WANTED, installed=packages.HOST)
    host = (apt.folder / "installed").read_text()
    names = {package.name for package in chosen}
    assert {"containerd", "runc", "haproxy", "keepalived", "nftables", "conntrack", "chrony"} <= names
    assert not names & {"libc6", "systemd", "iproute2"}
    assert "Package: perl-base\n" in host
    assert "Package: perl\n" not in host  # a minimal host has no more of it; keepalived needs libperl

    def check(installed: list[Package]) -> None:
        stanzas = (
            subprocess.run(["dpkg-deb", "--field", package.file], capture_output=True, text=True, check=True).stdout
            for package in installed
        )
        (tmp_path / "status").write_text(host + "".join(f"{one}Status: install ok installed\n\n" for one in stanzas))
        apt.run("apt-get", "-o", f"Dir::State::Status={tmp_path / 'status'}", "check")

    check(chosen)
    with pytest.raises(ArtifactError, match="Unmet dependencies"):
        check([package for package in chosen if package.name != "libnftables1"])
