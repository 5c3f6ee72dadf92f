"""Sums of resources, exact until they are asked for: as Go adds quantities, without a rounding in between."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from .quantity import MOST, nanos

Written = str | int | float
Amounts = Mapping[str, Written]
"""Quantities by resource, as the API writes them (a number, in old clients' objects)."""

Line = tuple[tuple[str, Written], ...]
"""The same, fit to be remembered by."""

Sums = dict[str, int]
"""Billionths of each resource's unit, unlimited."""

_UNIT = 10**9
_MILLI = 10**6


def line(amounts: Amounts | None) -> Line:
    return tuple(amounts.items()) if amounts else ()


@lru_cache(maxsize=4096)
def exact(written: Written) -> int:
    """A quantity in billionths. Raises ``ValueError`` when it cannot be read or is negative."""
    magnitude, negative = nanos(str(written))
    if negative and magnitude:
        raise ValueError(f"{str(written)!r} is negative")
    return magnitude


def sums_of(written: Line, missing: Mapping[str, int] | None = None) -> Sums:
    """The amounts of a line, with those of ``missing`` that it does not name. Raises as ``exact`` does."""
    found = {name: exact(amount) for name, amount in written}
    return {**missing, **found} if missing else found


def rounded(resource: str, amount: int) -> int:
    """In the unit that nodes are counted by, rounded up: thousandths of a CPU, whole units of all else."""
    return min(-(-amount // (_MILLI if resource == "cpu" else _UNIT)), MOST)


def add(sums: Sums, more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        sums[name] = sums.get(name, 0) + amount


def raise_to(sums: Sums, least: Mapping[str, int]) -> None:
    for name, amount in least.items():
        sums[name] = max(amount, sums.get(name, amount))
