"""A refusal that was expected: the wrong one, and none at all, both fail the check."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from idcbench.kube.apierror import ApiError
from idcbench.suites.functional.refusal import refused, until_allowed, until_refused

FORBIDDEN = ApiError(403, "Forbidden", "pods is forbidden")
CONFLICT = ApiError(409, "Conflict", "modified")


def answers(*given: ApiError | str) -> Callable[[], str]:
    """A call that gives one answer after the other, the last one again and again."""
    left = list(given)

    def call() -> str:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, ApiError):
            raise answer
        return answer

    return call


def test_the_expected_refusal_passes() -> None:
    with refused("Forbidden", saying="pods"):
        raise FORBIDDEN


@pytest.mark.parametrize(("error", "saying"), [(CONFLICT, ""), (FORBIDDEN, "secrets"), (None, "")])
def test_anything_else_fails_the_check(error: ApiError | None, saying: str) -> None:
    call = answers("accepted" if error is None else error)
    with pytest.raises(pytest.fail.Exception), refused("Forbidden", saying=saying):
        call()


def test_a_refusal_may_take_its_time() -> None:
    until_refused(answers("yes", "yes", FORBIDDEN), "Forbidden")


def test_a_refusal_that_never_comes_fails_the_check() -> None:
    with pytest.raises(TimeoutError, match="it was accepted"):
        until_refused(answers("yes"), "Forbidden", timeout_s=0.01)


def test_another_refusal_is_not_waited_out() -> None:
    with pytest.raises(ApiError) as error:
        until_refused(answers(CONFLICT), "Forbidden")
    assert error.value is CONFLICT


def test_a_permission_may_take_its_time() -> None:
    assert until_allowed(answers(FORBIDDEN, FORBIDDEN, "yes")) == "yes"


def test_what_no_permission_mends_is_raised_at_once() -> None:
    with pytest.raises(ApiError) as error:
        until_allowed(answers(CONFLICT))
    assert error.value is CONFLICT
