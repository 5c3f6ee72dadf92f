"""The certificate that a server in the cluster answers with."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from ..controlplane.pki import KeyPair, leaf
from .template import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """PEM texts: a certificate and its key, and the CA by which clients know it."""

    certificate: bytes
    key: bytes
    ca: bytes

    @classmethod
    def signed(cls, authority: KeyPair | None, names: Sequence[str]) -> Serving:
        """For a server that is called by ``names``, signed by the cluster's authority; empty without one."""
        if authority is None:
            return cls(certificate=b"", key=b"", ca=b"")
        pair = leaf(names[0], signer=authority, names=tuple(names), server=True)
        return cls(certificate=pair.certificate_pem, key=pair.key_pem, ca=authority.certificate_pem)

    def encoded(self) -> dict[str, str]:
        """As objects of the API hold them, for a template."""
        return {
            "certificate": base64.b64encode(self.certificate).decode(),
            "key": base64.b64encode(self.key).decode(),
            "ca": base64.b64encode(self.ca).decode(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A Deployment that is called by ``names`` and answers with the certificate in a Secret; both have its ``name``."""

    namespace: str
    name: str
    names: tuple[str, ...]

    def secret(self, authority: KeyPair) -> Manifest:
        """The Secret with a certificate that begins now."""
        serving = Serving.signed(authority, self.names).encoded()
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "type": "kubernetes.io/tls",
            "data": {"tls.crt": serving["certificate"], "tls.key": serving["key"]},
        }
