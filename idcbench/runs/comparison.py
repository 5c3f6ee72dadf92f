"""What came out of setting two runs side by side: the record that reports read and `idcbench compare --json` prints."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from .judging import Word
from .rounds import Kind
from .schema import Better

Quantile = Literal["value", "p50", "p99"]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two runs; ``value`` is what it was given where the two were made to differ in one setting.

    ``remarks`` say what a reader of its figures should know, such as why its outages last as long as they do.
    """

    id: str
    path: str
    started: str
    value: str = ""
    invalid_because: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A setting, version or fact of the machine in which the runs differ though nobody asked for it."""

    key: str
    a: str
    b: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One quantile of one metric, B against A.

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
    """``differences`` has the headlines first. ``key`` is the setting that the runs were made to differ in, if one."""

    a: Side
    b: Side
    key: str = ""
    interleaved: bool = False
    minimum_effect: float
    warnings: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def headlines(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if one.headline)

    @property
    def exploratory(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if not one.headline)


def json_schema() -> dict[str, Any]:
    """The JSON schema of a comparison, published as docs/comparison.schema.json."""
    return msgspec.json.schema(Comparison)
