"""Tokens of service accounts: who they name, for whom they count, and when they end."""

from __future__ import annotations

import base64
import json

import pytest

from idcbench.kube.crud import Client, Manifest

from .manifests import named, pod
from .refusal import refused, until_refused
from .states import name_of

pytestmark = pytest.mark.idc(proves="api")
ACCOUNT = "clerk"


@pytest.fixture
def account(idc_client: Client, namespace: str) -> str:
    """The namespace of the service account ``clerk``."""
    idc_client.create(named("ServiceAccount", ACCOUNT), namespace)
    return namespace


def who(client: Client) -> Manifest:
    """Whom the API server takes the client for."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {}}
    found: Manifest = client.create(review)["status"]["userInfo"]
    return found


def who_has(client: Client, token: str) -> Manifest:
    """Whom the API server takes the bearer of a token for, if it takes the token."""
    with client.with_token(token) as bearer:
        return who(bearer)


def token_for(client: Client, pod: Manifest, namespace: str) -> str:
    """A token that is bound to a pod."""
    bound = {"apiVersion": "v1", "kind": "Pod", "name": name_of(pod), "uid": pod["metadata"]["uid"]}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"boundObjectRef": bound}}
    path = client.path("ServiceAccount", ACCOUNT, namespace, subresource="token")
    return str(client.raw("POST", path, body=request).json()["status"]["token"])


def review(client: Client, token: str) -> Manifest:
    """What the API server says about a token to whom it was shown."""
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": {}, "spec": {"token": token}}
    found: Manifest = client.create(asked)["status"]
    return found


def decoded(part: str) -> Manifest:
    """A part of a token: JSON in base64 without its padding."""
    found: Manifest = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def encoded(part: Manifest) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_token_names_its_service_account(idc_client: Client, account: str) -> None:
    """Who shows the token of a service account is that service account, in the groups of its namespace."""
    found = who_has(idc_client, idc_client.token(ACCOUNT, account))
    assert found["username"] == f"system:serviceaccount:{account}:{ACCOUNT}"
    assert f"system:serviceaccounts:{account}" in found["groups"]


def test_token_lasts_as_long_as_asked(idc_client: Client, account: str) -> None:
    """A token says when it ends, and that is when it was asked to."""
    claims = decoded(idc_client.token(ACCOUNT, account, expiration_s=900).split(".")[1])
    assert claims["exp"] - claims["iat"] == 900


@pytest.mark.idc(negative=True)
def test_token_that_lasts_too_short_is_refused(idc_client: Client, account: str) -> None:
    """A token for less than ten minutes is refused, as it would end while it is being used."""
    with refused("Invalid", saying="10 minutes"):
        idc_client.token(ACCOUNT, account, expiration_s=60)


@pytest.mark.idc(negative=True)
def test_token_for_another_audience_is_refused(idc_client: Client, account: str) -> None:
    """A token that was made for another service does not open the API server."""
    with refused("Unauthorized"):
        who_has(idc_client, idc_client.token(ACCOUNT, account, audiences=["vault.example"]))


@pytest.mark.idc(negative=True)
def test_forged_token_is_refused(idc_client: Client, account: str) -> None:
    """A token whose claims were changed is refused, as its signature does not fit."""
    head, claims, signature = idc_client.token(ACCOUNT, account).split(".")
    forged = encoded(decoded(claims) | {"sub": "system:serviceaccount:kube-system:namespace-controller"})
    with refused("Unauthorized"):
        who_has(idc_client, f"{head}.{forged}.{signature}")


@pytest.mark.idc(negative=True)
def test_token_of_a_deleted_service_account_is_refused(idc_client: Client, account: str) -> None:
    """The tokens of a service account end with it, and one of the same name does not revive them."""
    used, unused = (idc_client.token(ACCOUNT, account) for _ in range(2))
    who_has(idc_client, used)
    idc_client.delete("ServiceAccount", ACCOUNT, account)
    idc_client.create(named("ServiceAccount", ACCOUNT), account)
    until_refused(lambda: who_has(idc_client, unused), "Unauthorized")


@pytest.mark.idc(negative=True)
def test_token_ends_with_its_pod(idc_client: Client, account: str) -> None:
    """A token that is bound to a pod counts as long as the pod exists, and not longer."""
    made = idc_client.create(pod("bearer", serviceAccountName=ACCOUNT, schedulerName=f"{account}-none"), account)
    used, unused = (token_for(idc_client, made, account) for _ in range(2))
    assert who_has(idc_client, used)["extra"]["authentication.kubernetes.io/pod-name"] == ["bearer"]
    idc_client.delete("Pod", "bearer", account, grace_s=0)
    until_refused(lambda: who_has(idc_client, unused), "Unauthorized")


def test_token_review_vouches_for_a_token(idc_client: Client, account: str) -> None:
    """A service that gets a token can ask the API server whose it is, and learns that a false one is nobody's."""
    good, bad = (review(idc_client, token) for token in (idc_client.token(ACCOUNT, account), "made-up"))
    assert good["authenticated"] is True
    assert good["user"]["username"] == f"system:serviceaccount:{account}:{ACCOUNT}"
    assert not bad.get("authenticated", False)


def test_issuer_publishes_its_keys(idc_client: Client, account: str) -> None:
    """Outsiders can check a token's signature: the key that signed it is published."""
    head = decoded(idc_client.token(ACCOUNT, account).split(".")[0])
    keys = idc_client.raw("GET", "/openid/v1/jwks", headers={"Accept": "application/jwk-set+json"}).json()["keys"]
    assert head["kid"] in {key["kid"] for key in keys}
