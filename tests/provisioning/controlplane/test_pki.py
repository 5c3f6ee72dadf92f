"""The certificates: who may sign what, for whom, and that a real TLS stack accepts them."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from idcbench.provisioning.controlplane.certificates import Authorities, write_host_certificates
from idcbench.provisioning.controlplane.pki import authority, leaf


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    write_host_certificates(folder, Authorities.new(), name="cp1", address="10.77.0.1", also=("10.77.0.100",))
    return folder


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_every_file_is_private(pki: Path) -> None:
    files = [path for path in pki.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_leaves_are_signed_by_their_own_authority(pki: Path) -> None:
    for leaf_file, ca_file in (
        ("apiserver", "ca"),
        ("admin", "ca"),
        ("front-proxy-client", "front-proxy-ca"),
        ("etcd/server", "etcd/ca"),
        ("apiserver-etcd-client", "etcd/ca"),
    ):
        load(pki / f"{leaf_file}.crt").verify_directly_issued_by(load(pki / f"{ca_file}.crt"))


def test_the_api_server_answers_to_its_addresses_and_the_virtual_one(pki: Path) -> None:
    names = load(pki / "apiserver.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert {"10.77.0.1", "10.77.0.100", "127.0.0.1"} <= addresses
    assert "kubernetes.default.svc.cluster.local" in names.get_values_for_type(x509.DNSName)


def test_the_administrator_is_in_the_group_that_may_all(pki: Path) -> None:
    subject = load(pki / "admin.crt").subject
    assert [a.value for a in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["system:masters"]


def test_a_client_certificate_cannot_serve(pki: Path) -> None:
    usage = load(pki / "admin.crt").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_a_leaf_signs_nothing() -> None:
    pair = leaf("somebody", signer=authority("ca"))
    assert not pair.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_openssl_takes_the_files(pki: Path) -> None:
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
