"""Waiting in a synchronous caller until something holds, with a time limit and what was last seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ..errors import IdcError
from .apierror import ApiError, is_transient

T = TypeVar("T")

FIRST_POLL_S = 0.05
LONGEST_POLL_S = 0.5


class WaitTimeoutError(IdcError, TimeoutError):
    """What was waited for did not come to hold in time; the text says what was last seen instead."""


def wait_until(what: str, check: Callable[[], tuple[T | None, str]], *, timeout_s: float) -> T:
    """Call ``check`` until it gives a value, and return that.

    ``check`` returns the value (or ``None``: not yet) and what it saw. It is called at once, then after 50 ms, and at
    growing distance up to half a second; once more at the very end. Raises :class:`WaitTimeoutError`.
    """
    ends_at = time.monotonic() + timeout_s
    poll_s = FIRST_POLL_S
    while True:
        last = time.monotonic() >= ends_at
        value, seen = check()
        if value is not None:
            return value
        if last:
            raise WaitTimeoutError(f"waited {timeout_s:g} s for {what}; last seen: {seen}")
        time.sleep(max(0.0, min(poll_s, ends_at - time.monotonic())))
        poll_s = min(LONGEST_POLL_S, poll_s * 1.5)


def patiently(check: Callable[[], tuple[T | None, str]]) -> Callable[[], tuple[T | None, str]]:
    """A check that takes an object that is not there (404), 429, an error of the server, or no answer for "not yet"."""

    def patient() -> tuple[T | None, str]:
        try:
            return check()
        except ApiError as error:
            if error.status == 404 or is_transient(error):
                return None, str(error)
            raise

    return patient
