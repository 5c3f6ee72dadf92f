"""Logs as JSON lines on standard error: ``time``, ``level``, ``logger``, ``msg``, and what the caller adds.

What is passed as ``extra={"pod": …, "node": …}`` becomes keys of the line. Tokens, and keys in PEM, never get out:
whatever looks like one is cut, wherever in a line it stands.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import Any, TextIO

import msgspec

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_TAKEN = frozenset({"time", "level", "logger", "msg", "error", "trace"})
_SECRET = re.compile(
    r"(?i:bearer )[A-Za-z0-9._~+/=-]{8,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"  # a JSON web token
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.DOTALL,
)
_encode = msgspec.json.Encoder(enc_hook=str).encode


class JsonLines(logging.Formatter):
    """One record, one line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _stamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name.removeprefix("idcbench."),
            "msg": record.getMessage(),
        }
        for key, value in vars(record).items():
            if key not in _STANDARD and not key.startswith("_"):
                line[f"{key}_" if key in _TAKEN else key] = value
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
            line["trace"] = self.formatException(record.exc_info)
        return without_secrets(_encode(_told(line)).decode())


def without_secrets(text: str) -> str:
    """The text with whatever looks like a token or a private key cut out."""
    return _SECRET.sub("[cut]", text)


def log_json_lines(*, level: int = logging.INFO, to: TextIO | None = None) -> None:
    """Have everything of this process logged so, and nothing otherwise."""
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("idcbench").setLevel(level)
    logging.captureWarnings(capture=True)


def _told(line: dict[str, Any]) -> dict[str, Any]:
    """The line with values that JSON knows; a value of another type is put as its text."""
    return {key: value if isinstance(value, str | int | float | bool | None) else str(value)
            for key, value in line.items()}  # fmt: skip


def _stamp(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds."""
    whole, fraction = divmod(round(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{fraction:03d}Z"
