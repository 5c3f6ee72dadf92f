"""What came out of setting runs side by side: the record that reports read and `idcbench compare --json` prints."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .judging import Word
from .rounds import Kind
from .schema import Better

Quantile = Literal["value", "p50", "p99"]


LETTERS = "ABCDEFGH"
"""What the sides are called, in order. More curves than these cannot be told apart in one chart."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the runs; ``value`` is what it was given where the runs were made to differ in one setting.

    ``cluster`` and ``load`` are a line each, of what was measured and what it had to carry; empty if unsaid.
    ``remarks`` say what a reader of its figures should know, such as why its outages last as long as they do.
    """

    id: str
    path: str
    started: str
    value: str = ""
    cluster: str = ""
    load: str = ""
    invalid_because: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A setting, version or fact of the machine in which the runs differ though nobody asked for it.

    ``others`` are its values in the third run and those after it.
    """

    key: str
    a: str
    b: str
    others: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """One for each side."""
        return (self.a, self.b, *self.others)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One quantile of one metric, B against A; ``side`` is the letter of what stands for B here.

    ``value`` is ``b / a``, or ``b - a`` in ``unit`` when ``scale`` is ``difference``; ``low`` to ``high`` its 95 %
    interval; ``p`` is raw and ``p_corrected`` the one that counts. What is not known is ``None`` and ``why`` says why.
    ``more_rounds`` is how many more on either side would tell; ``None`` also where more than 1,000 would be needed.
    """

    name: str
    labels: dict[str, str] = {}
    unit: str
    better: Better
    definition: str = ""
    quantile: Quantile
    headline: bool = False
    kind: Kind
    rounds: tuple[int, int]
    samples: tuple[int, int]
    side: str = "B"
    a: float | None = None
    b: float | None = None
    scale: Literal["ratio", "difference"] = "ratio"
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_corrected: float | None = None
    word: Word
    why: str = ""
    more_rounds: int | None = None

    @property
    def title(self) -> str:
        """The metric with its labels and quantile, in one line."""
        labels = ", ".join(f"{key}={value}" for key, value in self.labels.items())
        quantile = "" if self.quantile == "value" else f" {self.quantile}"
        return f"{self.name}{f'{{{labels}}}' if labels else ''}{quantile}"


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """``differences`` has the headlines first, and of each quantile the sides in their order, each against ``a``.

    ``key`` is the setting that the runs were made to differ in, if one. ``others`` are the third run and those after.
    """

    a: Side
    b: Side
    others: tuple[Side, ...] = ()
    key: str = ""
    interleaved: bool = False
    minimum_effect: float
    warnings: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def sides(self) -> dict[str, Side]:
        """By letter, in order; the first is what the others are judged against."""
        return dict(zip(LETTERS, (self.a, self.b, *self.others), strict=False))

    @property
    def headlines(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.headline)

    @property
    def exploratory(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if not one.headline)


def json_schema() -> dict[str, Any]:
    """The JSON schema of a comparison, published as docs/comparison.schema.json."""
    return msgspec.json.schema(Comparison)
