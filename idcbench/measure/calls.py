"""What a load asks for: sorts of requests, how often each, and the bytes of every single one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ..kube.connection import Endpoint

Http = Literal["1.1", "2"]
NUMBER = "{n}"
"""In a path or a body it becomes the request's number, ten digits, so that names differ and sort."""
NUMBER_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One sort of request; ``name`` is what its figures are filed under, ``weight`` its share among all."""

    name: str
    method: str = "GET"
    path: str
    body: str = ""
    content_type: str = "application/json"
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ValueError(f"{self.name}: a weight above 0 is wanted; found {self.weight}")


class Composer:
    """Gives the bytes of request ``number`` as the ``call``-th sort: encoded once, with a gap for the number."""

    def __init__(self, calls: Sequence[Call], endpoint: Endpoint, headers: Mapping[str, str]) -> None:
        self._pieces = [self._cut(call, endpoint, headers) for call in calls]

    def __call__(self, call: int, number: int) -> bytes:
        pieces = self._pieces[call]
        return pieces[0] if len(pieces) == 1 else (b"%010d" % number).join(pieces)

    @staticmethod
    def _cut(call: Call, endpoint: Endpoint, headers: Mapping[str, str]) -> list[bytes]:
        gap = "\0" * NUMBER_DIGITS  # as long as what goes there, so that Content-Length is right
        path, body = (text.replace(NUMBER, gap) for text in (call.path, call.body))
        whole = endpoint.request(
            call.method, path, headers=dict(headers), body=body.encode(), content_type=call.content_type
        )
        return whole.split(gap.encode())


def mixed(calls: Sequence[Call], count: int, *, seed: int) -> npt.NDArray[np.uint8]:
    """Which sort each of ``count`` requests is: at random, by weight. Raises ``ValueError`` without any sort."""
    if not 0 < len(calls) <= 256:
        raise ValueError(f"1 to 256 sorts of requests are wanted; found {len(calls)}")
    weights = np.array([call.weight for call in calls])
    drawn: npt.NDArray[np.uint8] = np.random.default_rng(seed).choice(
        len(calls), size=count, p=weights / weights.sum()
    ).astype(np.uint8)  # fmt: skip
    return drawn
