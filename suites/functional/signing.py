"""Certificate signing requests: made here, signed by the cluster, used as credentials."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idcbench.kube.access import Access
from idcbench.kube.crud import Manifest

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Somebody who wants a certificate: a private key, and the request for it in PEM."""

    key: ec.EllipticCurvePrivateKey
    request: bytes


def applicant(user: str, group: str) -> Applicant:
    """A new key, and the request for a certificate that names this user and group."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = ((NameOID.COMMON_NAME, user), (NameOID.ORGANIZATION_NAME, group))
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return Applicant(key=key, request=made.public_bytes(serialization.Encoding.PEM))


def signing_request(name: str, who: Applicant, *, signer: str = CLIENT_SIGNER, days: int = 1) -> Manifest:
    """The object by which the cluster is asked to sign."""
    spec = {
        "request": base64.b64encode(who.request).decode(),
        "signerName": signer,
        "usages": ["digital signature", "client auth"],
        "expirationSeconds": days * 86400,
    }
    metadata = {"name": name}
    return {
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": metadata, "spec": spec
    }  # fmt: skip


def access_of(access: Access, who: Applicant, certificate: bytes, folder: Path) -> Access:
    """The same cluster with this certificate as the only credential. The key goes to a file for nobody else."""
    cert_file, key_file = folder / "client.crt", folder / "client.key"
    cert_file.write_bytes(certificate)
    key_file.touch(mode=0o600)
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    key_file.write_bytes(who.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return replace(access, cert_file=cert_file, key_file=key_file, token_file=None)
