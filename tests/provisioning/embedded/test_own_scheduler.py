"""idcbench's scheduler in the plan of an embedded cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.cluster import ClusterSpec
from idcbench.errors import UsageError
from idcbench.provisioning.controlplane.flags import Member
from idcbench.provisioning.controlplane.timers import PROFILES
from idcbench.provisioning.embedded import own_scheduler
from idcbench.provisioning.embedded.blueprint import write_blueprint
from idcbench.provisioning.embedded.layout import StateDirectory
from idcbench.provisioning.embedded.target import check_same, checked


def plan_of(tmp_path: Path, spec: ClusterSpec) -> dict[str, list[str]]:
    """The components of each host that will run."""
    state = StateDirectory(tmp_path / "state")
    state.create()
    plan = write_blueprint(state, spec, binaries=Path("/bin"), relay_port=1)
    held = {"kube-scheduler"} if spec.scheduler == "idcbench" else set()
    for host in plan.hosts:
        assert {one.component for one in host.programs if one.held and one.component != own_scheduler.COMPONENT} == held
    return {host.name: [one.component for one in host.programs if one.component not in held] for host in plan.hosts}


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ("kube-scheduler", ["kube-scheduler"]),
        ("idcbench", ["idcbench-scheduler"]),  # the other is there to be started in its place
        ("both", ["kube-scheduler", "idcbench-scheduler"]),
    ],
)
def test_every_host_runs_what_was_chosen(tmp_path: Path, choice: str, found: list[str]) -> None:
    hosts = plan_of(tmp_path, ClusterSpec(control_planes=3, scheduler=choice))  # type: ignore[arg-type]
    assert len(hosts) == 3
    for components in hosts.values():
        assert [one for one in components if one.endswith("scheduler")] == found
    config = tmp_path / "state/hosts/cp2/etc/idcbench-scheduler.conf"
    assert config.exists() == ("idcbench-scheduler" in found)


def program(choice: str) -> list[str]:
    folder = Path("/state")
    member = Member(
        name="cp2", address="10.77.0.2", peers={"cp1": "10.77.0.1", "cp2": "10.77.0.2"}, pki=folder / "pki",
        etc=folder / "etc", data=folder, logs=folder, timers=PROFILES["fast"],
    )  # fmt: skip
    (one,) = own_scheduler.programs(member, ClusterSpec(profile="fast", scheduler=choice))  # type: ignore[arg-type]
    assert one.held
    return one.argv


def test_in_the_place_of_the_other_it_takes_its_name_and_lease() -> None:
    argv = program("idcbench")
    assert "--lease-name=kube-scheduler" in argv
    assert not [one for one in argv if one.startswith("--scheduler-name")]
    assert [one for one in argv if one.startswith("--api-server")] == [
        "--api-server=https://10.77.0.2:6443", "--api-server=https://10.77.0.1:6443",
    ]  # fmt: skip
    assert "--profile=fast" in argv


def test_beside_the_other_it_has_its_own() -> None:
    argv = program("both")
    assert "--lease-name=idcbench-scheduler" in argv
    assert "--scheduler-name=idcbench" in argv


def test_no_secret_is_in_its_command_line() -> None:
    assert not [one for one in program("both") if "PRIVATE" in one or "token" in one.lower()]


def test_the_choice_belongs_to_a_cluster() -> None:
    there = ClusterSpec(scheduler="both")
    with pytest.raises(UsageError, match="is there with --scheduler both, not idcbench"):
        check_same(there, ClusterSpec(scheduler="idcbench", asked=frozenset({"scheduler"})), "x")
    with pytest.raises(UsageError, match="--shape bench has no scheduler"):
        checked(ClusterSpec(shape="bench", scheduler="both"))


def test_objects_have_their_place() -> None:
    role = {"kind": "Role", "metadata": {"name": "a", "namespace": "b"}}
    assert own_scheduler.path_of(role) == "/apis/rbac.authorization.k8s.io/v1/namespaces/b/roles/a"
