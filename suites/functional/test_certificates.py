"""Certificates: the cluster signs what was approved, and only that."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from idcbench.kube.access import Access
from idcbench.kube.crud import Client, Manifest
from idcbench.kube.session import ApiSession
from idcbench.plugin.live import LiveCluster

from .conftest import Scratch
from .manifests import cluster_role_binding, role, rule
from .refusal import refused, until_allowed
from .signing import access_of, applicant, signing_request
from .states import has_condition, name_of

CSR = "CertificateSigningRequest"


def certificate_of(client: Client, name: str) -> bytes:
    """Wait until the request is signed; the certificate in PEM."""
    found = client.wait_for(CSR, name, is_signed, what="signed")
    return base64.b64decode(found["status"]["certificate"])


def is_signed(found: Manifest) -> bool:
    return bool(found["status"].get("certificate"))


async def who(access: Access) -> Manifest:
    """Whom the API server takes the holder of these credentials for."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    async with ApiSession(access) as api:
        answer = await api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
    found: Manifest = msgspec.json.decode(answer)["status"]["userInfo"]
    return found


@pytest.mark.idc(proves="controller")
def test_approved_request_becomes_a_credential(
    idc_cluster: LiveCluster, idc_client: Client, unique: str, scratch: Scratch, tmp_path: Path
) -> None:
    """An approved request is signed, and with the certificate its holder is the user that it names."""
    jane = applicant("jane", "bookkeeping")
    scratch.create(signing_request(unique, jane))
    idc_client.approve(unique)
    certificate = certificate_of(idc_client, unique)
    access = access_of(idc_cluster.access, jane, certificate, tmp_path)
    found = idc_cluster.portal.call(who(access), timeout_s=20)
    assert found["username"] == "jane"
    assert "bookkeeping" in found["groups"]


@pytest.mark.idc(proves="controller")
def test_certificate_lasts_as_long_as_asked(idc_client: Client, unique: str, scratch: Scratch) -> None:
    """A certificate ends when its request asked for, to within minutes for clocks that differ."""
    scratch.create(signing_request(unique, applicant("jane", "bookkeeping"), days=2))
    idc_client.approve(unique)
    made = x509.load_pem_x509_certificate(certificate_of(idc_client, unique))
    lasts = made.not_valid_after_utc - made.not_valid_before_utc
    assert abs(lasts - timedelta(days=2)) <= timedelta(minutes=10)


@pytest.mark.idc(proves="controller", negative=True)
def test_request_that_nobody_approved_is_not_signed(idc_client: Client, unique: str, scratch: Scratch) -> None:
    """A request waits for its approval, while one that was made later and approved is signed."""
    scratch.create(signing_request(f"{unique}-waits", applicant("eve", "bookkeeping")))
    scratch.create(signing_request(unique, applicant("jane", "bookkeeping")))
    idc_client.approve(unique)
    certificate_of(idc_client, unique)
    assert not is_signed(idc_client.get(CSR, f"{unique}-waits"))


@pytest.mark.idc(proves="controller", negative=True)
def test_denied_request_is_not_signed(idc_client: Client, unique: str, scratch: Scratch) -> None:
    """A request that was denied is not signed and cannot be approved any more."""
    made = scratch.create(signing_request(f"{unique}-denied", applicant("eve", "bookkeeping")))
    denied = {"type": "Denied", "status": "True", "reason": "Stranger", "message": "nobody knows her"}
    idc_client.replace(made | {"status": {"conditions": [denied]}}, subresource="approval")
    with refused("Invalid"):
        idc_client.approve(name_of(made))
    scratch.create(signing_request(unique, applicant("jane", "bookkeeping")))
    idc_client.approve(unique)
    certificate_of(idc_client, unique)
    left = idc_client.get(CSR, name_of(made))
    assert has_condition("Denied")(left)
    assert not is_signed(left)


@pytest.mark.idc(proves="api", negative=True)
def test_request_for_an_administrator_is_refused(scratch: Scratch, unique: str) -> None:
    """No certificate for the group that may do everything can be asked for."""
    with refused("Forbidden", saying="system:masters"):
        scratch.create(signing_request(unique, applicant("eve", "system:masters")))


@pytest.mark.idc(proves="api", negative=True)
def test_approval_needs_the_right_to_the_signer(idc_client: Client, namespace: str, scratch: Scratch) -> None:
    """Who may write approvals but has no right to the signer cannot approve."""
    scratch.create(signing_request(namespace, applicant("eve", "bookkeeping")))
    rules = (
        rule("certificatesigningrequests", "get", "list", groups="certificates.k8s.io"),
        rule("certificatesigningrequests/approval", "update", groups="certificates.k8s.io"),
    )
    scratch.create(role(namespace, *rules, kind="ClusterRole"))
    scratch.create(cluster_role_binding(namespace, namespace, "default", namespace))
    with idc_client.with_token(idc_client.token("default", namespace)) as clerk:
        until_allowed(lambda: clerk.get(CSR, namespace))
        with refused("Forbidden", saying="not permitted to approve requests with signerName"):
            clerk.approve(namespace)
    assert not idc_client.get(CSR, namespace)["status"].get("conditions")


@pytest.mark.idc(proves="api", negative=True)
def test_damaged_request_is_refused(scratch: Scratch, unique: str) -> None:
    """What is no certificate request is refused when it is handed in."""
    made = signing_request(unique, applicant("eve", "bookkeeping"))
    made["spec"]["request"] = base64.b64encode(b"-----BEGIN NOTHING-----").decode()
    with refused("Invalid", saying="spec.request"):
        scratch.create(made)
