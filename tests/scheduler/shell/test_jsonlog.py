"""Log lines: one JSON object each, with what the caller added, and without secrets."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from idcbench.scheduler.service.jsonlog import JsonLines, without_secrets


def line(msg: str, *args: object, **extra: Any) -> dict[str, Any]:
    record = logging.makeLogRecord(
        {"name": "idcbench.scheduler.service.binder", "levelno": logging.WARNING, "levelname": "WARNING",
         "msg": msg, "args": args, "created": 1700000000.1234, **extra}
    )  # fmt: skip
    text = JsonLines().format(record)
    assert "\n" not in text
    return dict(json.loads(text))


def test_a_line_has_time_level_logger_message_and_keys() -> None:
    assert line("pod %s is bound", "a/b", pod="a/b", node="n1", attempt=2) == {
        "time": "2023-11-14T22:13:20.123Z", "level": "warning", "logger": "scheduler.service.binder",
        "msg": "pod a/b is bound", "pod": "a/b", "node": "n1", "attempt": 2,
    }  # fmt: skip


def test_a_key_of_ours_does_not_hide_one_of_the_line() -> None:
    assert line("x", time=3)["time_"] == 3


def test_an_error_comes_with_its_trace() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        found = line("failed", exc_info=(ValueError, error, error.__traceback__))
    assert found["error"] == "ValueError: two\nlines"
    assert "test_jsonlog" in found["trace"]


def test_what_json_does_not_know_is_put_as_text() -> None:
    assert line("x", nodes={"b"})["nodes"] == "{'b'}"


@pytest.mark.parametrize(
    "secret",
    [
        "Authorization: Bearer abcdefghijklmnop",
        "token eyJhbGciOiJSUzI1NiIs.eyJpc3MiOiJrdWJl.c2lnbmF0dXJl",
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----",
    ],
)
def test_secrets_are_cut(secret: str) -> None:
    cut = without_secrets(f"before {secret} after")
    assert "[cut]" in cut
    assert cut.endswith("after")
    for part in ("abcdefghijklmnop", "c2lnbmF0dXJl", "MHcCAQEE"):
        assert part not in cut
    assert "MHcCAQEE" not in json.dumps(line(secret))
