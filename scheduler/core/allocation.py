"""Arrays of a given size, and larger copies of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .state import SCALARS, SCORES, State


@dataclass(frozen=True)
class Sizes:
    """Rows to have room for; every count is a capacity, not a limit."""

    nodes: int = 64
    resources: int = SCALARS
    columns: int = 4
    images: int = 1
    requirements: int = 16
    truth: int = 1024
    tolerations: int = 4
    kinds: int = 4
    shapes: int = 16
    program: int = 256
    policies: int = 1
    boards: int = 256
    classes: int = 16
    counted: int = 64
    terms: int = 64
    counters: int = 16
    counts: int = 1024
    masks: int = 4
    pods: int = 256
    budgets: int = 16
    excused: int = 1
    held: int = 1
    domains: int = 64
    log: int = 1 << 16


# per field of State: its type, the sizes of its axes, and what an unused row holds
_LAYOUT: dict[str, tuple[type, tuple[str | int, ...], int]] = {
    "node_on": (np.uint8, ("nodes",), 0),
    "node_kind": (np.int32, ("nodes",), 0),
    "node_head": (np.int32, ("nodes",), -1),
    "alloc": (np.int64, ("nodes", "resources"), 0),
    "used": (np.int64, ("nodes", "resources"), 0),
    "nonzero": (np.int64, ("nodes", 2), 0),
    "labels": (np.int32, ("columns", "nodes"), -1),
    "cards": (np.int32, ("columns",), 0),
    "image_bytes": (np.int64, ("images", "nodes"), 0),
    "image_nodes": (np.int32, ("images",), 0),
    "truth_at": (np.int32, ("requirements",), 0),
    "truth_column": (np.int32, ("requirements",), 0),
    "truth": (np.uint8, ("truth",), 0),
    "verdicts": (np.int32, ("tolerations", "kinds"), 0),
    "asked": (np.int64, ("shapes", "resources"), 0),
    "taken": (np.int64, ("shapes", "resources"), 0),
    "asked_nonzero": (np.int64, ("shapes", 2), 0),
    "scored": (np.int64, ("shapes", 2), 0),
    "shape_of": (np.int32, ("shapes", 4), -1),
    "program": (np.int32, ("program",), 0),
    "weights": (np.int64, ("policies", SCORES), 0),
    "fit_weights": (np.int64, ("policies", "resources"), 0),
    "balanced": (np.uint8, ("policies", "resources"), 0),
    "strategy": (np.int32, ("policies", 2), 0),
    "curve": (np.int64, ("policies", 32, 2), 0),
    "board_shape": (np.int32, ("boards",), -1),
    "board_seen": (np.int64, ("boards",), 0),
    "board_used": (np.int64, ("boards",), 0),
    "board_varies": (np.uint8, ("boards",), 0),
    "base": (np.int32, ("boards", "nodes"), 0),
    "fixed": (np.int32, ("boards", "nodes"), 0),
    "prefers": (np.int32, ("boards", "nodes"), 0),
    "shuns": (np.int32, ("boards", "nodes"), 0),
    "log": (np.int32, ("log",), 0),
    "cursor": (np.int64, (4,), 0),
    "random": (np.uint64, (1,), 1),
    "class_shape": (np.int32, ("classes",), -1),
    "counted_at": (np.int32, ("classes",), 0),
    "counted_len": (np.int32, ("classes",), 0),
    "counted": (np.int32, ("counted",), 0),
    "terms_at": (np.int32, ("classes",), 0),
    "terms_len": (np.int32, ("classes",), 0),
    "terms": (np.int32, ("terms", 5), 0),
    "counter": (np.int32, ("counters", 4), 0),
    "total": (np.int64, ("counters",), 0),
    "counts": (np.int32, ("counts",), 0),
    "present": (np.int32, ("counts",), 0),
    "masks": (np.uint8, ("masks", "nodes"), 0),
    "mask_of": (np.int32, ("masks", 3), -1),
    "pod": (np.int32, ("pods", 5), -1),
    "pod_rank": (np.int64, ("pods", 2), 0),
    "guarded_at": (np.int32, ("classes",), 0),
    "guarded_len": (np.int32, ("classes",), 0),
    "guarded": (np.int32, ("budgets",), 0),
    "excused": (np.int32, ("excused", 2), -1),
    "held": (np.int32, ("held", 4), -1),
    "list_n": (np.int32, ("nodes",), 0),
    "raw": (np.float64, ("nodes",), 0),
    "seen": (np.int32, ("domains",), 0),
    "around": (np.int64, ("terms",), 0),
}


def shape_of_field(name: str, sizes: Sizes) -> tuple[int, ...]:
    return tuple(axis if isinstance(axis, int) else getattr(sizes, axis) for axis in _LAYOUT[name][1])


def allocate(sizes: Sizes) -> State:
    """Arrays without anything in them. Boards are only touched, and so only take memory, when in use."""
    unused: dict[str, Any] = {name: _unused(name, sizes) for name in State._fields}
    return State(**unused)


def enlarge(state: State, before: Sizes, sizes: Sizes) -> State:
    """The same content with more room. Boards lose theirs when nodes get more room: they are then written anew."""
    grown = {axis.name for axis in fields(Sizes) if getattr(before, axis.name) != getattr(sizes, axis.name)}
    changed: dict[str, Any] = {
        name: _copy(name, getattr(state, name), sizes) for name in State._fields if grown & set(_LAYOUT[name][1])
    }
    if grown & {"nodes", "boards"}:
        changed |= {name: _unused(name, sizes) for name in ("board_shape", "base", "fixed", "prefers", "shuns")}
        state.shape_of[:, 3] = -1
    return state._replace(**changed)


def _unused(name: str, sizes: Sizes) -> NDArray[np.generic]:
    kind, _, value = _LAYOUT[name]
    shape = shape_of_field(name, sizes)
    return np.zeros(shape, kind) if value == 0 else np.full(shape, value, kind)


def _copy(name: str, old: NDArray[np.generic], sizes: Sizes) -> NDArray[np.generic]:
    new = _unused(name, sizes)
    new[tuple(slice(size) for size in old.shape)] = old
    return new
