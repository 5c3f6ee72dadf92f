"""The compiled entry points; everything else in this room is inlined into them.

Each is compiled once and kept on disk, in a folder named after the whole room's source, since numba watches only the
file of the entry point itself. ``warm`` makes sure that all are there before a decision is wanted.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np

from . import accounting, deciding, evaluating, preempting
from .allocation import Sizes, allocate
from .compiling import entry
from .matching import mask_lets
from .state import HIGH, I32, I64, MASK, U8, State

FOLDER = Path(__file__).parent


def cache_folder() -> Path:
    """``$IDCBENCH_KERNELS``, or a folder below the user's cache that this source and this numba own."""
    given = os.environ.get("IDCBENCH_KERNELS")
    if given:
        return Path(given)
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    for source in sorted(FOLDER.glob("*.py")):
        digest.update(source.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "idcbench" / "kernels" / digest.hexdigest()[:16]


numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]


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


ENTRIES: tuple[Any, ...] = (
    place, put, take, detach, attach, recount, fill_mask, evaluate, hold_back, preempt,
)  # fmt: skip


def warm() -> int:
    """Load or compile every entry point; how many had to be compiled. Some 30 s when nothing is kept yet."""
    state = allocate(Sizes(nodes=2, boards=1))
    state.counter[:, MASK] = -1
    none, out = np.zeros(0, np.uint8), np.zeros((12, 2), np.int32)
    one, numbers = np.zeros(1, np.int32), np.zeros(2, np.int32)
    state.class_shape[0] = 0
    state.shape_of[0] = (0, 0, 0, -1)
    state.mask_of[:] = -1
    put(state, 0, 0, 0)
    take(state, 0)
    detach(state, 0)
    attach(state, 0)
    recount(state, 0, np.zeros(1, np.uint8))
    fill_mask(state, 0)
    place(state, one[:0], one[:0], one[:0], out, one)
    evaluate(state, 0, none, out, numbers)
    hold_back(state, 0, 0, none)
    room = np.zeros((2, 4), np.int32)
    preempt(state, 0, 0, none, one, one.copy(), room, room.astype(np.uint8), np.zeros((2, 5), np.int64))
    return sum(sum(kernel.stats.cache_misses.values()) for kernel in ENTRIES)
