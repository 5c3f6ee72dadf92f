"""What all control planes have in common: taken from one that has it, or made once, when there is no cluster yet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ...hosts.failure import HostError
from ...hosts.ssh import SshHost
from ..controlplane.pki import KeyPair, authority, key_pem, new_key, public_pem
from . import hardening, paths
from .wanted import Shared


async def shared_by(members: Sequence[SshHost]) -> Shared:
    """What the control planes ``members`` share, read from the first that has all of it.

    Raises :class:`HostError` when none has, though there is a cluster: what is lost here nobody can make again.
    """
    wanted = [f"{paths.PKI}/{name}" for name in paths.SHARED_PKI] + [paths.ENCRYPTION]
    for host in members:
        found = dict(zip(wanted, await asyncio.gather(*(host.read(path) for path in wanted)), strict=True))
        if all(found.values()):
            return Shared(files={path: content for path, content in found.items() if content is not None})
    lacking = [path for path, content in found.items() if content is None]
    raise HostError(
        members[-1].name,
        f"no control plane has {', '.join(lacking)} any more; put them back from a backup",
    )


def made() -> Shared:
    """Fresh authorities and keys, as kubeadm lays them out."""
    service_accounts = new_key()
    files = {
        **_pair("ca", authority("kubernetes")),
        **_pair("front-proxy-ca", authority("front-proxy-ca")),
        **_pair("etcd/ca", authority("etcd-ca")),
        f"{paths.PKI}/sa.key": key_pem(service_accounts),
        f"{paths.PKI}/sa.pub": public_pem(service_accounts),
        paths.ENCRYPTION: hardening.encryption().encode(),
    }
    return Shared(files=files)


def _pair(name: str, pair: KeyPair) -> dict[str, bytes]:
    return {f"{paths.PKI}/{name}.crt": pair.certificate_pem, f"{paths.PKI}/{name}.key": pair.key_pem}


def authority_of(shared: Shared) -> KeyPair:
    """The cluster's own authority. Raises ``ValueError`` when its files are no key and certificate."""
    key = serialization.load_pem_private_key(shared.files[f"{paths.PKI}/ca.key"], password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("ca.key: an elliptic-curve key is expected")
    return KeyPair(key, x509.load_pem_x509_certificate(shared.files[f"{paths.PKI}/ca.crt"]))
