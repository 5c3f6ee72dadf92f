"""Who asks, and may they? Both are left to the API server, as kube-scheduler does: TokenReview, SubjectAccessReview.

A client certificate counts when the cluster's client CA signed it (ConfigMap extension-apiserver-authentication).
When the API server cannot say, the answer is no.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession

ANONYMOUS = "system:anonymous"
ALWAYS_ALLOWED_GROUP = "system:masters"
KEPT_S = 10.0
"""For so long an answer is used again (the defaults of kube-scheduler's delegated options)."""
KEPT_MOST = 1000
CLIENT_CA = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"

Answer = TypeVar("Answer")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class User:
    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


class Gate(Protocol):
    """Lets a request pass or not."""

    async def user(self, authorization: str, certificate: Mapping[str, Any] | None) -> User | None:
        """Who asks; ``None`` for a token that is not valid. Raises ``ApiError`` when nobody can say."""

    async def allows(self, user: User, path: str, verb: str) -> bool:
        """Whether they may. Raises ``ApiError`` when nobody can say."""


class OpenGate:
    """Lets everybody pass: for plain HTTP on loopback, where whoever connects is on this machine."""

    async def user(self, authorization: str, certificate: Mapping[str, Any] | None) -> User | None:  # noqa: ARG002
        return User(ANONYMOUS)

    async def allows(self, user: User, path: str, verb: str) -> bool:  # noqa: ARG002
        return True


class DelegatedGate:
    """Asks the API server, and keeps an answer for ``KEPT_S``; tokens are kept as their SHA-256."""

    def __init__(self, api: ApiSession) -> None:
        self._api = api
        self._users: _Kept[User | None] = _Kept()
        self._allowed: _Kept[bool] = _Kept()

    async def user(self, authorization: str, certificate: Mapping[str, Any] | None) -> User | None:
        if certificate:
            return certified(certificate)
        scheme, _, token = authorization.partition(" ")
        if not authorization:
            return User(ANONYMOUS, ("system:unauthenticated",))
        if scheme.lower() != "bearer" or not token.strip():
            return None
        key = hashlib.sha256(token.strip().encode()).hexdigest()
        if key not in self._users:
            self._users[key] = await self._review_token(token.strip())
        return self._users[key]

    async def allows(self, user: User, path: str, verb: str) -> bool:
        if ALWAYS_ALLOWED_GROUP in user.groups:
            return True
        key = (user, path, verb)
        if key not in self._allowed:
            self._allowed[key] = await self._review_access(user, path, verb)
        return self._allowed[key]

    async def _review_token(self, token: str) -> User | None:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
        answer = await self._api.post("/apis/authentication.k8s.io/v1/tokenreviews", review)
        status = msgspec.json.decode(answer, type=_TokenReview).status
        if not status.authenticated:
            return None
        return User(status.user.username, status.user.groups or (), status.user.uid)

    async def _review_access(self, user: User, path: str, verb: str) -> bool:
        spec = {"user": user.name, "groups": list(user.groups), "uid": user.uid,
                "nonResourceAttributes": {"path": path, "verb": verb}}  # fmt: skip
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        answer = await self._api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        return msgspec.json.decode(answer, type=_AccessReview).status.allowed


def certified(certificate: Mapping[str, Any]) -> User:
    """The user that a verified certificate names (``ssl``'s getpeercert): CN, and each O as a group."""
    fields = [pair for part in certificate.get("subject", ()) for pair in part]
    names = [value for key, value in fields if key == "commonName"]
    groups = tuple(value for key, value in fields if key == "organizationName")
    return User(names[0] if names else "", (*groups, "system:authenticated"))


async def read_client_ca(api: ApiSession) -> str:
    """The CA that signs the clients of this cluster, as PEM; empty, with a warning, when it may not be read."""
    try:
        found = await api.read(_ConfigMap, CLIENT_CA)
    except ApiError as error:
        _log.warning("client certificates are not accepted here: %s", error)
        return ""
    pem = (found.data or {}).get("client-ca-file", "")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        _log.warning("client certificates are not accepted here: the client CA of %s: %s", CLIENT_CA, error)
        return ""
    return pem


class _Kept(Generic[Answer]):
    """Answers that are used again for ``KEPT_S``; the oldest goes when there are too many."""

    def __init__(self) -> None:
        self._answers: dict[Any, tuple[float, Answer]] = {}

    def __contains__(self, key: Any) -> bool:
        return key in self._answers and time.monotonic() - self._answers[key][0] < KEPT_S

    def __getitem__(self, key: Any) -> Answer:
        return self._answers[key][1]

    def __setitem__(self, key: Any, answer: Answer) -> None:
        self._answers.pop(key, None)
        self._answers[key] = (time.monotonic(), answer)
        if len(self._answers) > KEPT_MOST:
            del self._answers[next(iter(self._answers))]


class _Reviewed(msgspec.Struct, frozen=True):
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] | None = None


class _TokenStatus(msgspec.Struct, frozen=True):
    authenticated: bool = False
    user: _Reviewed = _Reviewed()


class _TokenReview(msgspec.Struct):
    status: _TokenStatus = _TokenStatus()


class _AccessStatus(msgspec.Struct, frozen=True):
    allowed: bool = False


class _AccessReview(msgspec.Struct):
    status: _AccessStatus = _AccessStatus()


class _ConfigMap(msgspec.Struct):
    data: dict[str, str] | None = None
