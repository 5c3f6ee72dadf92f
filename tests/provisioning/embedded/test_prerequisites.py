"""What a machine may lack, and what the person then reads."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from idcbench.errors import ClusterError
from idcbench.provisioning.embedded import prerequisites
from idcbench.provisioning.embedded.namespaces import forbidden_reason


def test_this_machine_will_do() -> None:
    prerequisites.check()


@pytest.mark.parametrize("release", ["4.18.0-553.el8.x86_64", "5.2.21", "3.10"])
def test_an_old_kernel_is_told(release: str) -> None:
    with pytest.raises(ClusterError, match=r"too old .* needs 5.3 or newer"):
        prerequisites.check(release=release)


@pytest.mark.parametrize("release", ["5.3.0", "6.18.44-fc-v595", "6.1-rc3"])
def test_a_newer_kernel_passes(release: str) -> None:
    prerequisites.check(release=release)


def test_missing_programs_are_named_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prerequisites, "SYSTEM_FOLDERS", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError, match=r"missing programs: .*haproxy.* install -y .*haproxy"):
        prerequisites.check()


@pytest.mark.parametrize(
    ("os_release", "line"),
    [
        ('ID=debian\nVERSION_ID="12"', "apt-get install -y haproxy iproute2"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "dnf install -y haproxy iproute iproute-tc"),
    ],
)
def test_the_line_fits_the_distribution(os_release: str, line: str, tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    file.write_text(os_release)
    assert prerequisites.install_line(["tc", "haproxy", "ip"], os_release=file).endswith(line)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("kernel/unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
    ],
)
def test_the_setting_that_forbids_namespaces_is_named(setting: str, value: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / setting
    file.parent.mkdir()
    file.write_text(value + "\n")
    assert said in forbidden_reason(errno.EPERM, proc=tmp_path)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"no space for the cluster: .* MiB free .* set XDG_STATE_HOME"):
        prerequisites.check_space(tmp_path, members=10**9)


def test_a_refusal_without_a_setting_is_told_with_its_error(tmp_path: Path) -> None:
    assert "EPERM" in forbidden_reason(errno.EPERM, proc=tmp_path)
    assert "the limit is reached" in forbidden_reason(errno.ENOSPC, proc=tmp_path)
