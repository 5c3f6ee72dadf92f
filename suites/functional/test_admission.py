"""Admission: rules of one's own, and those that are built in, stand before every write."""

from __future__ import annotations

import pytest

from idcbench.kube.crud import Client, Manifest
from idcbench.kube.waiting import wait_until

from .conftest import Scratch
from .manifests import config_map, deployment, named, pod
from .refusal import SETTLES_S, refused, until_allowed, until_refused

pytestmark = pytest.mark.idc(proves="api")
REGISTRATION = "admissionregistration.k8s.io/v1"
NOWHERE = "https://127.0.0.1:1/"
"""Nobody listens there."""


def policy(name: str, resources: str, expression: str, message: str, *, group: str = "", **spec: object) -> Manifest:
    """A ValidatingAdmissionPolicy with one rule for what is created or updated."""
    rules = [
        {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [resources]}
    ]
    validations = [{"expression": expression, "message": message}]
    own = {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": rules}, "validations": validations}
    return named("ValidatingAdmissionPolicy", name, api_version=REGISTRATION, spec=own | spec)


def binding(name: str, *, action: str = "Deny", **spec: object) -> Manifest:
    """Has the policy of the same name count, in the namespace of that name alone."""
    own = {"policyName": name, "validationActions": [action], "matchResources": within(name)}
    return named("ValidatingAdmissionPolicyBinding", name, api_version=REGISTRATION, spec=own | spec)


def within(namespace: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


def webhook(name: str, failure_policy: str) -> Manifest:
    """A webhook for the ConfigMaps of the namespace ``name`` that nobody answers."""
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}]
    hook = {
        "name": f"{name}.idcbench.io", "clientConfig": {"url": NOWHERE}, "rules": rules, "timeoutSeconds": 2,
        "failurePolicy": failure_policy, "sideEffects": "None", "admissionReviewVersions": ["v1"],
    }  # fmt: skip
    webhooks = [hook | within(name)]
    return named("ValidatingWebhookConfiguration", name, api_version=REGISTRATION, webhooks=webhooks)


@pytest.mark.idc(negative=True)
def test_policy_refuses_what_breaks_its_rule(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A ValidatingAdmissionPolicy refuses a Deployment that breaks its rule, in its own words, and takes another."""
    scratch.create(
        policy(namespace, "deployments", "object.spec.replicas <= 3", "three replicas are enough", group="apps")
    )
    scratch.create(binding(namespace))
    greedy = deployment("web", replicas=4)
    until_refused(
        lambda: idc_client.create(greedy, namespace, dry_run=True), "Invalid", saying="three replicas are enough"
    )
    with refused("Invalid", saying="three replicas are enough"):
        idc_client.create(greedy, namespace)
    idc_client.create(deployment("web", replicas=3), namespace)
    with refused("Invalid", saying="three replicas are enough"):
        idc_client.patch("Deployment", "web", {"spec": {"replicas": 4}}, namespace)


def test_policy_counts_only_where_it_is_bound(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A policy that is bound to one namespace leaves the others alone."""
    other = f"{namespace}-b"
    scratch.create(named("Namespace", other))
    scratch.create(policy(namespace, "configmaps", "false", "closed"))
    scratch.create(binding(namespace))
    until_refused(lambda: idc_client.create(config_map("any"), namespace, dry_run=True), "Invalid", saying="closed")
    idc_client.create(config_map("any"), other)


@pytest.mark.idc(negative=True)
def test_policy_takes_parameters(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A policy reads its limit from an object that can be changed without touching the policy."""
    idc_client.create(config_map("limits", data={"most": "2"}), namespace)
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    rule = "object.spec.replicas <= int(params.data.most)"
    scratch.create(policy(namespace, "deployments", rule, "too many", group="apps", paramKind=kind))
    reference = {"name": "limits", "namespace": namespace, "parameterNotFoundAction": "Deny"}
    scratch.create(binding(namespace, paramRef=reference))

    def create_five() -> None:
        idc_client.create(deployment("web", replicas=5), namespace, dry_run=True)

    until_refused(create_five, "Invalid", saying="too many")
    idc_client.patch("ConfigMap", "limits", {"data": {"most": "5"}}, namespace)
    until_allowed(create_five)


def test_policy_may_warn_and_let_pass(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """A policy bound with Warn lets the object pass and tells the client what is wrong with it."""
    scratch.create(policy(namespace, "configmaps", "has(object.data)", "this one is empty"))
    scratch.create(binding(namespace, action="Warn"))
    path = idc_client.path("ConfigMap", namespace=namespace)

    def warned() -> tuple[bool | None, str]:
        answer = idc_client.raw("POST", path, body=config_map("empty"), query={"dryRun": "All"})
        text = answer.headers.get("Warning", "")
        return ("this one is empty" in text or None), f"warning {text!r}"

    assert wait_until("a warning", warned, timeout_s=SETTLES_S)


@pytest.mark.idc(negative=True)
def test_policy_with_a_wrong_expression_is_refused(scratch: Scratch, unique: str) -> None:
    """A policy whose expression cannot be evaluated is refused when it is written, not when it counts."""
    with refused("Invalid", saying="undeclared reference"):
        scratch.create(policy(unique, "configmaps", "objet.data.size() > 0", "empty"))


@pytest.mark.idc(negative=True)
def test_webhook_that_does_not_answer_closes_the_door(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """When a webhook that must be asked gives no answer, the object is refused."""
    scratch.create(webhook(namespace, "Fail"))
    until_refused(
        lambda: idc_client.create(config_map("any"), namespace, dry_run=True),
        "InternalError", saying="failed calling webhook",
    )  # fmt: skip
    with refused("InternalError", saying="failed calling webhook"):
        idc_client.create(config_map("any"), namespace)
    assert idc_client.find("ConfigMap", "any", namespace) is None


@pytest.fixture
def restricted(idc_client: Client, namespace: str) -> str:
    """A namespace under the strictest pod security standard."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    idc_client.patch("Namespace", namespace, {"metadata": {"labels": labels}})
    immodest = pod("probe", hostNetwork=True)
    until_refused(lambda: idc_client.create(immodest, namespace, dry_run=True), "Forbidden", saying="restricted")
    return namespace


@pytest.mark.idc(negative=True)
@pytest.mark.parametrize(
    ("spec", "saying"),
    [
        ({"hostNetwork": True}, "host namespaces"),
        ({"volumes": [{"name": "root", "hostPath": {"path": "/"}}]}, "hostPath"),
        ({"securityContext": {"runAsUser": 0}}, "runAsUser=0"),
    ],
    ids=["host network", "host path", "root"],
)
def test_pod_security_refuses_what_its_level_forbids(
    idc_client: Client, restricted: str, spec: Manifest, saying: str
) -> None:
    """In a namespace of the level restricted no pod gets the host's network, the host's files or root."""
    with refused("Forbidden", saying=saying):
        idc_client.create(pod("sly", **spec), restricted)


def test_pod_security_takes_a_modest_pod(idc_client: Client, restricted: str) -> None:
    """In a namespace of the level restricted a pod that claims nothing is accepted."""
    modest = pod("modest", securityContext={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}})
    modest["spec"]["containers"][0]["securityContext"] = {
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    idc_client.create(modest, restricted)
