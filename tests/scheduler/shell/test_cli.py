"""``idcbench scheduler``: what is refused before anything starts, and how the options and the file go together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from idcbench.cli.main import USAGE, main
from idcbench.cli.scheduler import _configuration
from idcbench.errors import UsageError
from idcbench.provisioning.controlplane.timers import PROFILES
from idcbench.scheduler.service.config import Configuration
from idcbench.scheduler.service.config_access import find_access, in_cluster
from idcbench.scheduler.service.config_election import Election
from idcbench.scheduler.service.config_settings import new_identity, service_settings

TWO = (
    "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
    "leaderElection: {resourceName: ours}\nprofiles: [{schedulerName: a}, {schedulerName: b}]\n"
)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A configuration with two profiles."""
    file = tmp_path / "two.yaml"
    file.write_text(TWO)
    return file


def test_a_good_file_is_put_into_words(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scheduler", "check-config", str(two)]) == 0
    said = capsys.readouterr().out
    assert "elected as kube-system/ours; back-off 1 to 10 s" in said
    assert "TaintToleration 3" in said


def test_a_bad_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.yaml").write_text(TWO + "profils: 1\n")
    assert main(["scheduler", "check-config", str(tmp_path / "x.yaml")]) == USAGE
    assert "x.yaml, line 5: profils: no such field; did you mean profiles?" in capsys.readouterr().err


def test_times_that_do_not_fit_the_profile_s_are_refused_with_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(TWO.replace("resourceName: ours", "leaseDuration: 5s"))
    commands = (["check-config"], ["manifests", "--config"], ["run", "--kubeconfig", "/none", "--config"])
    for command in commands:
        assert main(["scheduler", *command, str(file)]) == USAGE
        assert f"{file}: leaderElection, with what profile default adds: " in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--namespace", "--lease-name", "--scheduler-name"])
def test_manifests_are_not_made_with_names_that_cannot_be(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scheduler", "manifests", option, "A B"]) == USAGE
    assert f"{option}: a name such as kube-scheduler" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plain-http"], "--plain-http answers whoever asks; it wants --bind-address 127.0.0.1, found 0.0.0.0"),
        (["--tls-cert-file", "x"], "--tls-cert-file and --tls-private-key-file belong together; one is missing"),
        (["--config", "/none.yaml"], "/none.yaml: cannot be read: No such file or directory"),
        (["--kubeconfig", "/none"], "kubeconfig /none: cannot be read"),
        (["--secure-port", "65536"], "65536 is not in the range 0<=x<=65535"),
        (["--lease-name", "A/B"], "--lease-name: a name such as kube-scheduler, of small letters"),
    ],
)
def test_what_cannot_work_is_refused_at_once(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scheduler", "run", *arguments]) == USAGE
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("pod", ["a/b/c", "/a", "a/", "", "../../x", "a?b", "Größe", "a b", "Web"])
def test_a_pod_that_no_pod_can_be_called(pod: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scheduler", "explain", pod, "--kubeconfig", "/none"]) == USAGE
    assert f"POD or NAMESPACE/POD is wanted, such as shop/web-7d9; found {pod!r}" in capsys.readouterr().err


def test_options_go_before_the_file(two: Path) -> None:
    found = _configuration(two, None, "other", None)
    assert (found.election.name, found.election.namespace) == ("other", "kube-system")
    assert [policy.name for policy in found.policies] == ["a", "b"]
    with pytest.raises(UsageError, match=r"--scheduler-name names one profile; .*two.yaml has 2"):
        _configuration(two, "c", None, None)
    assert [policy.name for policy in _configuration(None, "c", None, None).policies] == ["c"]


@pytest.mark.parametrize(("profile", "limit_s"), [("fast", 2.0), ("default", 5.0), ("slow-disk", 5.0)])
def test_a_request_ends_long_before_the_lease(profile: str, limit_s: float) -> None:
    settings = service_settings(Configuration(), PROFILES[profile], elect=True, identity="x")  # type: ignore[index]
    assert settings.lease is not None
    assert settings.write.request_limit_s == limit_s < settings.lease.duration_s - settings.lease.retry_s


def test_the_file_s_lease_times_count() -> None:
    configuration = Configuration(election=Election(duration_s=60, renew_deadline_s=40), claim_limit_s=30)
    settings = service_settings(configuration, PROFILES["fast"], elect=True, identity="x")
    assert settings.lease is not None
    assert (settings.lease.duration_s, settings.lease.renew_deadline_s, settings.lease.retry_s) == (60, 40, 1)
    assert settings.write.claim_limit_s == 30
    assert service_settings(configuration, PROFILES["fast"], elect=False, identity="x").lease is None


def test_two_processes_differ() -> None:
    assert new_identity() != new_identity()


def test_a_pod_uses_its_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    with pytest.raises(UsageError, match="automountServiceAccountToken"):
        in_cluster(tmp_path)
    for name in ("token", "ca.crt"):
        (tmp_path / name).write_text("x")
    access = in_cluster(tmp_path)
    assert access.server == "https://[fd00::1]:6443"
    assert access.headers() == {"Authorization": "Bearer x"}
    monkeypatch.setattr("idcbench.scheduler.service.config_access.in_cluster", lambda: access)
    with pytest.raises(UsageError, match="--api-server: a URL like"):
        find_access(None, members=["cp1:6443"])


def test_reading_a_configuration_needs_no_compiler(two: Path) -> None:
    code = (
        "import sys; from idcbench.cli.main import main;"
        f"main(['scheduler', 'check-config', {str(two)!r}]);"
        "print('heavy:', sorted({'numba', 'numpy', 'aiohttp', 'pytest', 'rich'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "heavy: []" in said
