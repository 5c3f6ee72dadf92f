"""What a cluster is told: the roles match what the service does, and the pods give nothing away."""

from __future__ import annotations

from typing import Any

import yaml
from click.testing import CliRunner

from idcbench.cli.scheduler import scheduler
from idcbench.scheduler.deploy.manifests import Deployed, manifests
from idcbench.scheduler.deploy.roles import cluster_rules, lease_rules
from idcbench.scheduler.service.resources import SOURCES


def by_kind(deployed: Deployed) -> dict[str, Any]:
    return {obj["kind"]: obj for obj in manifests(deployed)}


def allowed(verb: str, group: str, resource: str) -> bool:
    return any(
        verb in rule["verbs"] and group in rule["apiGroups"] and resource in rule["resources"]
        for rule in cluster_rules()
    )


def test_everything_that_is_watched_may_be_read() -> None:
    for source in SOURCES:
        parts = source.path.strip("/").split("/")
        group = "" if parts[0] == "api" else parts[1]
        assert allowed("list", group, parts[-1])
        assert allowed("watch", group, parts[-1])


def test_no_rule_has_a_star_and_secrets_are_out_of_reach() -> None:
    for rule in [*cluster_rules(), *lease_rules("x")]:
        assert "*" not in [*rule["verbs"], *rule["apiGroups"], *rule["resources"]]
        assert not {"secrets", "configmaps", "nodes/proxy", "serviceaccounts/token"} & set(rule["resources"])
    assert not allowed("update", "", "pods")
    assert not allowed("create", "", "pods")


def test_only_its_own_lease_is_written() -> None:
    create, own = lease_rules("ours")
    assert create["verbs"] == ["create"]
    assert own["resourceNames"] == ["ours"]


def test_the_pods_are_apart_and_locked_down() -> None:
    spec = by_kind(Deployed(image="x"))["Deployment"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert spec["replicas"] == 2
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert "requiredDuringSchedulingIgnoredDuringExecution" in pod["affinity"]["podAntiAffinity"]
    assert "volumes" not in pod
    assert {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness")} == {"/livez", "/readyz"}


def test_a_configuration_goes_in_as_a_file() -> None:
    found = by_kind(Deployed(image="x", configuration="kind: Y\n"))
    assert found["ConfigMap"]["data"] == {"scheduler.yaml": "kind: Y\n"}
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert "--config=/etc/idcbench/scheduler.yaml" in container["args"]
    assert not [one for one in container["args"] if one.startswith("--scheduler-name")]


def test_the_command_prints_what_kubectl_reads() -> None:
    result = CliRunner().invoke(scheduler, ["manifests", "--image", "r/i:1", "--namespace", "ours"])
    assert result.exit_code == 0
    objects = list(yaml.safe_load_all(result.output))
    assert [one["kind"] for one in objects][-1] == "Deployment"
    only = CliRunner().invoke(scheduler, ["manifests", "--only-roles-for", "me"])
    assert {one["kind"] for one in yaml.safe_load_all(only.output)} == {
        "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding",
    }  # fmt: skip


def test_the_arguments_are_options_of_the_command() -> None:
    known = {option for parameter in scheduler.commands["run"].params for option in parameter.opts}  # type: ignore[attr-defined]
    (container,) = by_kind(Deployed(image="x"))["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert {one.partition("=")[0] for one in container["args"]} <= known
