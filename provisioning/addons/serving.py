"""The certificate that a server in the cluster answers with."""

from __future__ import annotations

import base64
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """PEM texts: a certificate and its key, and the CA by which clients know it."""

    certificate: bytes
    key: bytes
    ca: bytes

    def encoded(self) -> dict[str, str]:
        """As objects of the API hold them, for a template."""
        return {
            "certificate": base64.b64encode(self.certificate).decode(),
            "key": base64.b64encode(self.key).decode(),
            "ca": base64.b64encode(self.ca).decode(),
        }
