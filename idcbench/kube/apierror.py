"""What the API server refused, or that none answered: the one error of every call in this room."""

from __future__ import annotations

import ssl
from email.utils import parsedate_to_datetime
from time import time

import msgspec

from ..errors import IdcError

UNREACHABLE = "Unreachable"
"""The reason of an error without an answer; its status is 0."""
SILENT = "Silent"
"""The reason when an answer began, and then nothing came for too long; the status is 0."""

UNTRUSTED = "Untrusted"
"""The reason when whoever answered has no certificate of that authority, or speaks no TLS; the status is 0."""

NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
"""What OpenSSL says, by version, of an answer that is no TLS."""


class ApiError(IdcError):
    """An API call failed.

    ``status`` is the HTTP status, or 0 when no answer came in time; ``reason`` is the server's own word for it
    (``NotFound``, ``Conflict``, ``Forbidden``, …), ``message`` its sentence. ``retry_after_s`` is what the server
    asked for, if it did. Picklable.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        path: str = "",
        method: str = "GET",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(status, reason, message, path, method, retry_after_s)
        self.status = status
        self.reason = reason
        self.message = message
        self.path = path
        self.method = method
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        answer = f"{self.status} {self.reason}" if self.status else self.reason
        return f"{self.method} {self.path}: {answer}: {self.message}"


class Status(msgspec.Struct, frozen=True):
    """The ``Status`` object in which an API server explains a refusal."""

    kind: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""


_status = msgspec.json.Decoder(Status)


def refusal(
    status: int, body: bytes, *, path: str, method: str, phrase: str = "", retry_after: str | None = None
) -> ApiError:
    """The error for an answer of ``status``; a body that is no ``Status`` object (a proxy's page) is quoted."""
    try:
        told = _status.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = Status(message=body[:300].decode(errors="replace").strip())
    message = told.message or "the answer says no more"
    return ApiError(status, told.reason or phrase, message, path, method, retry_after_s(retry_after))


def is_transient(error: ApiError) -> bool:
    """Whether the same call may well succeed a little later: no answer, too many requests, an error of the server."""
    return error.status == 429 or error.status >= 500 or (error.status == 0 and error.reason != UNTRUSTED)


def unreachable(server: str, why: str, *, path: str, method: str, reason: str = UNREACHABLE) -> ApiError:
    """The error for a call that got no answer."""
    message = f"{server} gave no answer ({why}); is the cluster up, and is this its address?"
    return ApiError(0, reason, message, path, method)


def untrusted(server: str, error: Exception, *, path: str, method: str) -> ApiError:
    """The error for a TLS handshake that failed: where it never can succeed, asking again does not help."""
    if isinstance(error, ssl.SSLCertVerificationError):
        message = f"the certificate of {server} is not to be trusted ({error.verify_message}); is this its CA?"
    elif isinstance(error, ssl.SSLError) and error.reason in NO_TLS:
        message = f"{server} does not speak TLS; is this its port?"
    else:
        return unreachable(server, str(error), path=path, method=method)
    return ApiError(0, UNTRUSTED, message, path, method)


def retry_after_s(value: str | None) -> float | None:
    """The ``Retry-After`` header in seconds from now: a number or a date; ``None`` when absent or unreadable."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None
