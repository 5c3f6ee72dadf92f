"""What the API server must refuse, at once or as soon as a rule has reached it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from idcbench.kube.apierror import ApiError
from idcbench.kube.waiting import wait_until

T = TypeVar("T")
SETTLES_S = 20.0
"""Within this a rule that was just made (a role, a policy, a webhook) must have reached every API server."""


@contextmanager
def refused(reason: str, *, saying: str = "") -> Iterator[None]:
    """What happens inside must be refused for ``reason``, in words that hold ``saying``."""
    try:
        yield
    except ApiError as error:
        if not _fits(error, reason, saying):
            pytest.fail(f"a refusal {reason} {saying!r} was expected, but this came: {error}", pytrace=False)
    else:
        pytest.fail(f"the API server accepted what it had to refuse: {reason} was expected", pytrace=False)


def until_refused(call: Callable[[], object], reason: str, *, saying: str = "", timeout_s: float = SETTLES_S) -> None:
    """Repeat a call until it is refused so. Raises ``TimeoutError`` when it still is accepted at the end."""

    def check() -> tuple[bool | None, str]:
        try:
            call()
        except ApiError as error:
            if not _fits(error, reason, saying):
                raise
            return True, str(error)
        return None, "it was accepted"

    wait_until(f"a refusal {reason} {saying}".rstrip(), check, timeout_s=timeout_s)


def until_allowed(call: Callable[[], T], *, timeout_s: float = SETTLES_S) -> T:
    """Repeat a call for as long as a rule refuses it (401, 403, 422), and give what it gives."""

    def check() -> tuple[list[T] | None, str]:
        try:
            return [call()], ""
        except ApiError as error:
            if error.status not in (401, 403, 422):
                raise
            return None, str(error)

    return wait_until("the call to be allowed", check, timeout_s=timeout_s)[0]


def _fits(error: ApiError, reason: str, saying: str) -> bool:
    return error.reason == reason and saying in error.message
