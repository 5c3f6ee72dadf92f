"""Kubernetes quantities (``500m``, ``1.5Gi``, ``1e3``) as exact whole numbers.

The grammar and the roundings are those of k8s.io/apimachinery/pkg/api/resource/quantity.go: what is finer than a
nano is rounded up, what is larger than 2^63-1 is cut to it, and a conversion rounds away from zero.
"""

from __future__ import annotations

import re
from functools import lru_cache

MOST = 2**63 - 1
_NANO = 9
_GRAMMAR = re.compile(
    r"([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))(?:(Ki|Mi|Gi|Ti|Pi|Ei)|([numkMGTPE])|[eE]([+-]?\d{1,9}))?", re.ASCII
)
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_FAR = 40
"""An exponent beyond which any mantissa of a quantity is as good as nothing, or as the largest."""


def value(text: str) -> int:
    """``text`` in whole units, rounded away from zero. Raises ``ValueError`` when it is no quantity."""
    return _scaled(text, 0)


def milli_value(text: str) -> int:
    """``text`` in thousandths, rounded away from zero. Raises ``ValueError`` when it is no quantity."""
    return _scaled(text, 3)


@lru_cache(maxsize=4096)
def _scaled(text: str, places: int) -> int:
    magnitude, negative = nanos(text)
    scaled = min(_divide_up(magnitude, 10 ** (_NANO - places)), MOST)
    return -scaled if negative else scaled


def nanos(text: str) -> tuple[int, bool]:
    """The magnitude in billionths, at most ``MOST`` whole units, and whether a minus stands before it.

    Exact but for what is finer than a billionth, which is rounded up. Raises ``ValueError`` when it is no quantity.
    """
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is no quantity: digits and one of n u m k M G T P E Ki Mi Gi Ti Pi Ei, or e and digits"
        )
    sign, whole, fraction, bare, binary, decimal, exponent = match.groups()
    digits = (whole or "") + (fraction or bare or "")
    tens = _NANO - len(fraction or bare or "")
    if exponent or decimal:
        tens += max(-_FAR - len(digits), min(int(exponent) if exponent else _DECIMAL[decimal], _FAR + len(digits)))
    magnitude = int(digits) << (_BINARY[binary] if binary else 0)
    billionths = magnitude * 10**tens if tens >= 0 else _divide_up(magnitude, 10**-tens)
    return min(billionths, MOST * 10**_NANO), sign == "-"


def _divide_up(magnitude: int, divisor: int) -> int:
    return -(-magnitude // divisor)
