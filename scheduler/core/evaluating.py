"""Why each node is refused, and every score of those that are not: for events, for explanations, for tests."""

from __future__ import annotations

import numpy as np

from .accounting import shift
from .boards import board_of
from .compiling import inner
from .deciding import normalize
from .fitting import balanced_score, fit_score
from .matching import image_score
from .refusing import why
from .state import (
    BY_ROOM_HELD,
    EXIST,
    HIGH,
    I32,
    POLICY,
    PROGRAM,
    U8,
    State,
)
from .topology import prepare


@inner
def passes_with_held(S: State, c: int, n: int, priority: int, veto: U8) -> int:
    """``why``, and BY_ROOM_HELD when only the room held for others of no lower priority stands in the way.

    As kube-scheduler does, the node must do with and without the pods nominated to it.
    """
    reason = why(S, c, n, veto, prepare(S, c))
    if reason:
        return reason
    if holds_room(S, n, priority):
        shift_held(S, n, priority, 1)
        if why(S, c, n, veto, prepare(S, c)):
            reason = BY_ROOM_HELD
        shift_held(S, n, priority, -1)
    return reason


@inner
def hold_back(S: State, c: int, priority: int, reasons: U8) -> None:
    """Write to ``reasons`` [N] why nodes that hold room for others refuse a pod of class ``c`` with those there."""
    none = reasons[:0]
    for h in range(S.held.shape[0]):
        n = S.held[h, 1]
        if n >= 0 and S.held[h, 2] >= priority and reasons[n] == 0:
            shift_held(S, n, priority, 1)
            reasons[n] = why(S, c, n, none, prepare(S, c))
            shift_held(S, n, priority, -1)


@inner
def holds_room(S: State, n: int, priority: int) -> bool:
    for h in range(S.held.shape[0]):
        if S.held[h, 1] == n and S.held[h, 2] >= priority:
            return True
    return False


@inner
def shift_held(S: State, n: int, priority: int, sign: int) -> None:
    """Put the pods that hold room on node ``n`` there in thought, or take them back."""
    for h in range(S.held.shape[0]):
        if S.held[h, 1] == n and S.held[h, 2] >= priority:
            shift(S, S.held[h, 0], n, 0, sign)


@inner
def evaluate(S: State, c: int, veto: U8, out: I32, reasons: I32) -> int:
    """Evaluate class ``c`` on every node; how many are feasible (``list_n`` names them).

    ``reasons`` [N] gets 0 or the first refusal. ``out`` [12, N] gets, per feasible node in order: normalised taints,
    affinity, spread, interpod; the same raw; then fit, balance, images; and the weighted total.
    """
    s = S.class_shape[c]
    policy = S.shape_of[s, POLICY]
    b = board_of(S, s)
    first = prepare(S, c)
    feasible = 0
    for n in range(S.cursor[HIGH]):
        if not S.node_on[n]:
            continue
        reasons[n] = why(S, c, n, veto, first)
        if reasons[n] == 0:
            S.list_n[feasible] = n
            feasible += 1
    normalize(S, c, b, feasible, policy, out)
    for j in range(feasible):
        n = S.list_n[j]
        out[8, j] = fit_score(S, s, n, policy)
        out[9, j] = balanced_score(S, s, n, policy)
        out[10, j] = image_score(S, S.shape_of[s, PROGRAM], n, S.cursor[EXIST])
        total = np.int64(0)
        for plugin, row in ((0, 0), (1, 1), (2, 8), (3, 2), (4, 3), (5, 9), (6, 10)):
            total += S.weights[policy, plugin] * out[row, j]
        out[11, j] = total
    return feasible
