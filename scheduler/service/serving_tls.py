"""The certificate that the service shows: a given one, or one that it signs itself and keeps in memory."""

from __future__ import annotations

import datetime
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError

VALID_DAYS = 365


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM files of a serving certificate and its key."""

    cert_file: Path
    key_file: Path


def server_context(files: CertificateFiles | None, *, client_ca_pem: str = "", names: Sequence[str]) -> ssl.SSLContext:
    """A context to serve with.

    Without files it shows a new self-signed certificate for ``names``, whose key never leaves the memory. A client
    may show a certificate; it is checked against ``client_ca_pem`` where that is known. Raises :class:`UsageError`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files is not None:
        try:
            context.load_cert_chain(files.cert_file, files.key_file)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"--tls-cert-file {files.cert_file}, --tls-private-key-file {files.key_file}: a certificate and its "
                f"key in PEM are wanted; found: {error.strerror or error}"
            ) from None
    else:
        with _in_memory(self_signed(names)) as path:
            context.load_cert_chain(path)
    if client_ca_pem:
        context.load_verify_locations(cadata=client_ca_pem)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def self_signed(names: Sequence[str]) -> bytes:
    """A key and a certificate for these names and addresses, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{names[0]}@self-signed")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in dict.fromkeys(names)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)


def own_names(bind_address: str) -> list[str]:
    """What a client may call this process."""
    bound = [] if bind_address in ("0.0.0.0", "::") else [bind_address]
    return [socket.gethostname(), *bound, "localhost", "127.0.0.1", "::1"]


def _general(name: str):  # type: ignore[no-untyped-def]
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@contextmanager
def _in_memory(pem: bytes) -> Iterator[str]:
    """A path at which ssl can read what is on no disk."""
    descriptor = os.memfd_create("serving-certificate")
    try:
        os.write(descriptor, pem)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
