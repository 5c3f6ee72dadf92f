"""RBAC: a service account may do what it was given, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from idcbench.kube.apierror import ApiError
from idcbench.kube.crud import Client, Manifest

from .conftest import Scratch
from .manifests import config_map, named, pod, role, role_binding, rule
from .refusal import refused, until_allowed, until_refused

pytestmark = pytest.mark.idc(proves="api")
ACCOUNT = "clerk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clerk:
    """A service account of its own namespace, and the client that acts as it by its token."""

    client: Client
    namespace: str
    admin: Client

    def may(self, *rules: Manifest, name: str = "duty") -> None:
        """Give it a role with these rules in its namespace."""
        self.admin.create(role(name, *rules), self.namespace)
        self.admin.create(role_binding(name, name, ACCOUNT, self.namespace), self.namespace)

    def reads(self, kind: str, namespace: str = "") -> list[Manifest]:
        return self.client.list(kind, namespace or self.namespace)


@pytest.fixture
def clerk(idc_client: Client, namespace: str) -> Iterator[Clerk]:
    """A service account that was given nothing yet."""
    idc_client.create(named("ServiceAccount", ACCOUNT), namespace)
    with idc_client.with_token(idc_client.token(ACCOUNT, namespace)) as client:
        yield Clerk(client=client, namespace=namespace, admin=idc_client)


def test_role_lets_a_service_account_read(clerk: Clerk) -> None:
    """A service account whose role allows it to list pods can list them."""
    clerk.may(rule("pods", "get", "list"))
    clerk.admin.create(pod("seen"), clerk.namespace)
    assert [each["metadata"]["name"] for each in until_allowed(lambda: clerk.reads("Pod"))] == ["seen"]


@pytest.mark.idc(negative=True)
def test_service_account_may_do_nothing_by_itself(clerk: Clerk) -> None:
    """A service account without a role can read no pods and no secrets."""
    for kind in ("Pod", "Secret"):
        with refused("Forbidden", saying=f"system:serviceaccount:{clerk.namespace}:{ACCOUNT}"):
            clerk.reads(kind)


@pytest.mark.idc(negative=True)
def test_role_to_read_does_not_allow_to_write(clerk: Clerk) -> None:
    """Who may read ConfigMaps may not create, change or delete them."""
    clerk.may(rule("configmaps", "get", "list", "watch"))
    clerk.admin.create(config_map("theirs", data={"k": "v"}), clerk.namespace)
    until_allowed(lambda: clerk.reads("ConfigMap"))
    with refused("Forbidden"):
        clerk.client.create(config_map("mine"), clerk.namespace)
    with refused("Forbidden"):
        clerk.client.patch("ConfigMap", "theirs", {"data": {"k": "w"}}, clerk.namespace)
    with refused("Forbidden"):
        clerk.client.delete("ConfigMap", "theirs", clerk.namespace)
    assert clerk.admin.get("ConfigMap", "theirs", clerk.namespace)["data"] == {"k": "v"}


@pytest.mark.idc(negative=True)
def test_role_ends_at_its_namespace(clerk: Clerk) -> None:
    """A role in one namespace allows nothing in another, nor in all of them at once."""
    clerk.may(rule("pods", "get", "list"))
    until_allowed(lambda: clerk.reads("Pod"))
    with refused("Forbidden"):
        clerk.reads("Pod", "kube-system")
    with refused("Forbidden", saying="at the cluster scope"):
        clerk.client.list("Pod")


@pytest.mark.idc(negative=True)
def test_role_for_pods_does_not_open_their_logs(clerk: Clerk) -> None:
    """Who may read pods may neither read their logs nor run commands in them."""
    clerk.may(rule("pods", "get", "list"))
    until_allowed(lambda: clerk.reads("Pod"))
    clerk.admin.create(pod("closed"), clerk.namespace)
    with refused("Forbidden", saying="pods/log"):
        clerk.client.raw("GET", clerk.client.path("Pod", "closed", clerk.namespace, subresource="log"))
    with refused("Forbidden", saying="pods/exec"):
        path = clerk.client.path("Pod", "closed", clerk.namespace, subresource="exec")
        clerk.client.raw("POST", path, query={"command": "id"})


@pytest.mark.idc(negative=True)
def test_role_for_one_object_does_not_open_others(clerk: Clerk) -> None:
    """A role for one Secret by name opens neither another nor their list."""
    clerk.may(rule("secrets", "get", names=("mine",)))
    for name in ("mine", "theirs"):
        clerk.admin.create(named("Secret", name, stringData={"k": name}), clerk.namespace)
    until_allowed(lambda: clerk.client.get("Secret", "mine", clerk.namespace))
    with refused("Forbidden"):
        clerk.client.get("Secret", "theirs", clerk.namespace)
    with refused("Forbidden"):
        clerk.reads("Secret")


@pytest.mark.idc(negative=True)
def test_right_that_is_taken_away_is_gone(clerk: Clerk) -> None:
    """When its binding is deleted, a service account is refused again."""
    clerk.may(rule("pods", "list"))
    until_allowed(lambda: clerk.reads("Pod"))
    clerk.admin.delete("RoleBinding", "duty", clerk.namespace)
    until_refused(lambda: clerk.reads("Pod"), "Forbidden")


@pytest.mark.idc(negative=True)
def test_nobody_gives_more_than_they_have(clerk: Clerk) -> None:
    """Who may write roles and bindings can grant no right that they do not have themselves."""
    clerk.may(rule("roles,rolebindings", "create", "list", groups="rbac.authorization.k8s.io"), name="registrar")
    clerk.may(rule("pods", "list"))
    until_allowed(lambda: clerk.reads("Role"))
    until_allowed(lambda: clerk.reads("Pod"))
    clerk.client.create(role("fair", rule("pods", "list")), clerk.namespace)
    with refused("Forbidden", saying="attempting to grant RBAC permissions not currently held"):
        clerk.client.create(role("greedy", rule("secrets", "list")), clerk.namespace)
    with refused("Forbidden", saying="attempting to grant RBAC permissions not currently held"):
        binding = role_binding("greedy", "cluster-admin", ACCOUNT, clerk.namespace, role_kind="ClusterRole")
        clerk.client.create(binding, clerk.namespace)


@pytest.mark.idc(negative=True)
def test_nobody_acts_as_another_without_the_right(clerk: Clerk) -> None:
    """A service account cannot take the identity of an administrator by asking for it."""
    path = clerk.client.path("Secret", namespace="kube-system")
    with refused("Forbidden", saying="impersonate"):
        clerk.client.raw("GET", path, headers={"Impersonate-User": "admin", "Impersonate-Group": "system:masters"})


@pytest.mark.idc(negative=True)
def test_anonymous_requests_read_nothing(idc_client: Client) -> None:
    """Who shows no credentials reads neither Secrets nor nodes."""
    with idc_client.with_token("") as anonymous:
        for path in ("/api/v1/namespaces/kube-system/secrets", "/api/v1/nodes"):
            with pytest.raises(ApiError) as error:
                anonymous.raw("GET", path)
            assert error.value.status in (401, 403)


def test_access_review_says_what_is_allowed(clerk: Clerk) -> None:
    """Asked beforehand, the server says the same that it does: yes to what the role allows, no to the rest."""
    clerk.may(rule("pods", "list"))
    until_allowed(lambda: clerk.reads("Pod"))
    assert allowed(clerk, "list")
    assert not allowed(clerk, "delete")


def test_role_may_be_given_by_group(clerk: Clerk) -> None:
    """A role bound to the group of a namespace's service accounts counts for each of them."""
    clerk.admin.create(role("all", rule("configmaps", "list")), clerk.namespace)
    binding = role_binding("all", "all", "unused", clerk.namespace)
    group = f"system:serviceaccounts:{clerk.namespace}"
    binding["subjects"] = [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": group}]
    clerk.admin.create(binding, clerk.namespace)
    until_allowed(lambda: clerk.reads("ConfigMap"))


@pytest.mark.idc(proves="controller")
def test_cluster_role_is_made_up_of_others(idc_client: Client, unique: str, scratch: Scratch) -> None:
    """A ClusterRole that aggregates others by label gets their rules by itself."""
    label = {f"idcbench.io/{unique}": "true"}
    scratch.create(role(unique, kind="ClusterRole", aggregationRule={"clusterRoleSelectors": [{"matchLabels": label}]}))
    given = rule("pods", "list")
    scratch.create(role(f"{unique}-part", given, kind="ClusterRole", labels=label))
    idc_client.wait_for("ClusterRole", unique, lambda found: found["rules"] == [given], what="made up of its parts")


@pytest.mark.idc(negative=True)
def test_node_changes_no_node_but_itself(idc_client: Client, nodes: list[str]) -> None:
    """The identity of one node is refused to change another node, whatever RBAC says."""
    if len(nodes) < 2:
        pytest.skip("needs two nodes")
    with idc_client.as_user(f"system:node:{nodes[0]}", group="system:nodes") as node:
        body = {"metadata": {"annotations": {"idcbench.io/was": "here"}}}
        with refused("Forbidden", saying="is not allowed to modify node"):
            node.patch("Node", nodes[1], body, dry_run=True)


def allowed(clerk: Clerk, verb: str) -> bool:
    """What a SelfSubjectAccessReview says about pods in the clerk's namespace."""
    about = {"namespace": clerk.namespace, "verb": verb, "resource": "pods"}
    spec = {"resourceAttributes": about}
    asked = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "metadata": {}, "spec": spec}
    return bool(clerk.client.create(asked)["status"]["allowed"])
