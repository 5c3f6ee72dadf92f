"""The compiled entry points; everything else in this room is inlined into them.

Each is compiled once and kept on disk (:mod:`.keeping`). ``warm`` makes sure that all are there before a decision is
wanted, for the one type that each argument ever has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import accounting, deciding, evaluating, preempting
from .allocation import Sizes, allocate
from .compiling import entry, telling
from .matching import mask_lets
from .state import HIGH, I32, I64, MASK, U8, State


@entry
def place(S: State, classes: I32, rows: I32, pins: I32, out: I32, chosen: I32) -> int:
    return deciding.place(S, classes, rows, pins, out, chosen)


@entry
def put(S: State, p: int, c: int, n: int) -> None:
    accounting.seat(S, p, c, n)


@entry
def take(S: State, p: int) -> None:
    accounting.unseat(S, p)


@entry
def detach(S: State, n: int) -> None:
    accounting.detach(S, n)


@entry
def attach(S: State, n: int) -> None:
    accounting.attach(S, n)


@entry
def recount(S: State, k: int, member: U8) -> None:
    accounting.recount(S, k, S.cursor[HIGH], member)


@entry
def fill_mask(S: State, m: int) -> None:
    for n in range(S.cursor[HIGH]):
        S.masks[m, n] = S.node_on[n] and mask_lets(S, m, n)


@entry
def evaluate(S: State, c: int, veto: U8, out: I32, reasons: I32) -> int:
    return evaluating.evaluate(S, c, veto, out, reasons)


@entry
def hold_back(S: State, c: int, priority: int, veto: U8) -> None:
    evaluating.hold_back(S, c, priority, veto)


@entry
def preempt(
    S: State, c: int, priority: int, veto: U8, budgets: I32, left: I32, victims: I32, marks: U8, costs: I64
) -> int:
    return preempting.preempt(S, c, priority, veto, budgets, left, victims, marks, costs)


@entry
def without(S: State, c: int, n: int, priority: int, veto: U8, rows: I32) -> int:
    return preempting.without(S, c, n, priority, veto, rows)


ENTRIES: tuple[Any, ...] = (
    place, put, take, detach, attach, recount, fill_mask, evaluate, hold_back, preempt, without,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Warmed:
    """The entry points that had to be compiled, and those of them that could not be kept, with the reason."""

    compiled: tuple[str, ...]
    unkept: dict[str, str]


def warm() -> Warmed:
    """Load or compile every entry point. Some 30 s when nothing is kept yet."""
    compiled: list[str] = []
    unkept: dict[str, str] = {}

    def call(kernel: Any, *arguments: Any) -> None:
        """numba adds what it compiled before it keeps it: called again, the kernel is there even if not on disk."""
        try:
            kernel(*arguments)
        except OSError as error:
            unkept[kernel.py_func.__name__] = str(error)
            kernel(*arguments)

    with telling(lambda name, _: compiled.append(name), ENTRIES):
        _call_all(call)
    return Warmed(tuple(compiled), unkept)


def _call_all(call: Callable[..., None]) -> None:
    """Each entry point once, on next to nothing, with arguments of the types that the engine gives."""
    state = allocate(Sizes(nodes=2, boards=1))
    state.counter[:, MASK] = -1
    none, out = np.zeros(0, np.uint8), np.zeros((12, 2), np.int32)
    one, numbers = np.zeros(1, np.int32), np.zeros(2, np.int32)
    state.class_shape[0] = 0
    state.shape_of[0] = (0, 0, 0, -1)
    state.mask_of[:] = -1
    call(put, state, 0, 0, 0)
    call(take, state, 0)
    call(detach, state, 0)
    call(attach, state, 0)
    call(recount, state, 0, np.zeros(1, np.uint8))
    call(fill_mask, state, 0)
    call(place, state, one[:0], one[:0], one[:0], out, one)
    call(evaluate, state, 0, none, out, numbers)
    call(hold_back, state, 0, 0, none)
    call(without, state, 0, 0, 0, none, one[:0])
    room = np.zeros((2, 4), np.int32)
    call(preempt, state, 0, 0, none, one, one.copy(), room, room.astype(np.uint8), np.zeros((2, 5), np.int64))
