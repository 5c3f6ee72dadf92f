"""What an operator takes for granted of an API server: audit, encryption at rest, pod security, nobody anonymous."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import yaml

EXEMPT = ("kube-system", "kube-flannel", "idcbench-system")
"""Namespaces of pods that have to touch their host: kube-proxy, the network, what watches nodes."""
HEALTH_PATHS = ("/livez", "/readyz", "/healthz")

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
# Who did what; without the endless renewals of leases, without events, and with the bodies of no secret.
omitStages: [RequestReceived]
rules:
- {level: None, resources: [{group: coordination.k8s.io, resources: [leases]}]}
- {level: None, resources: [{group: "", resources: [events]}, {group: events.k8s.io, resources: [events]}]}
- {level: None, nonResourceURLs: ["/readyz*", "/livez*", "/healthz*", "/metrics", "/openapi/*", "/version*"]}
- level: None
  verbs: [get, list, watch]
  userGroups: ["system:serviceaccounts:kube-system", "system:nodes"]
- level: None
  verbs: [get, list, watch]
  users: ["system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy", "system:apiserver"]
- level: Metadata
  resources: [{group: "", resources: [secrets, configmaps, serviceaccounts/token]}, {group: authentication.k8s.io}]
- {level: Request, verbs: [create, update, patch, delete, deletecollection]}
- {level: Metadata}
"""


def authentication() -> str:
    """Anonymous requests reach the health paths, which balancers and kubelets ask, and nothing else (KEP-4633)."""
    conditions = [{"path": path} for path in HEALTH_PATHS]
    return _yaml(
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AuthenticationConfiguration",
            "anonymous": {"enabled": True, "conditions": conditions},
        }
    )


def admission() -> str:
    """Pod security ``restricted`` everywhere but in :data:`EXEMPT`; a namespace's own labels go before it."""
    levels = {f"{kind}{suffix}": value for kind in ("enforce", "audit", "warn") for suffix, value in
              (("", "restricted"), ("-version", "latest"))}  # fmt: skip
    pod_security = {
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "defaults": levels,
        "exemptions": {"namespaces": list(EXEMPT)},
    }
    return _yaml(
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AdmissionConfiguration",
            "plugins": [{"name": "PodSecurity", "configuration": pod_security}],
        }
    )


def encryption() -> str:
    """A fresh key for secrets at rest (XSalsa20 and Poly1305, 32 bytes). A secret: mode 0600, the same everywhere.

    What was written in clear before is still read.
    """
    key = {"name": "idcbench-1", "secret": base64.b64encode(secrets.token_bytes(32)).decode()}
    return _yaml(
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": [{"secretbox": {"keys": [key]}}, {"identity": {}}]}],
        }
    )


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False)
