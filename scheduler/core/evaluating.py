"""Why each node is refused, and every score of those that are not: for events, for explanations, for tests."""

from __future__ import annotations

import numpy as np

from .accounting import NOTHING_SKIPS, shift
from .boards import board_of
from .compiling import inner
from .deciding import normalize
from .fitting import balanced_score, fit_score, fits
from .matching import image_score, object_refusal
from .refusing import why
from .state import (
    AVOID,
    AVOIDED,
    BY_AVOIDED,
    COUNTER,
    EXIST,
    HIGH,
    I32,
    I64,
    KIND,
    NEED,
    POLICY,
    PROGRAM,
    U8,
    State,
)
from .topology import prepare


@inner
def passes_with_held(S: State, c: int, n: int, priority: int, veto: U8, deaf: bool) -> int:
    """``why``, first with the pods that hold room there and are of no lower priority, then without them.

    As kube-scheduler does: the node must do both ways. ``deaf`` as of the cluster at rest.
    """
    if holds_room(S, n, priority):
        reason = why_with_held(S, c, n, priority, veto, deaf)
        if reason:
            return reason
    return why(S, c, n, veto, prepare(S, c))


@inner
def why_with_held(S: State, c: int, n: int, priority: int, veto: U8, deaf: bool) -> int:
    shift_held(S, n, priority, 1)
    reason = why(S, c, n, veto, prepare(S, c))
    shift_held(S, n, priority, -1)
    if deaf and reason == BY_AVOIDED:
        reason = object_refusal(S, S.class_shape[c], n)
    return reason


@inner
def is_deaf(S: State, c: int) -> bool:
    """Whether InterPodAffinity has nothing to say of the class: then it does not hear of those who hold room either.

    It is left out for the whole cycle by what it finds at PreFilter, as all plugins of kube-scheduler are.
    """
    for i in range(S.terms_at[c], S.terms_at[c] + S.terms_len[c]):
        kind = S.terms[i, KIND]
        if kind in (NEED, AVOID) or (kind == AVOIDED and S.total[S.terms[i, COUNTER]] > 0):
            return False
    return True


@inner
def count_lacking(S: State, c: int, n: int, priority: int, lacking: I64) -> None:
    """Add node ``n``, where resources refuse class ``c``, to the nodes counted under each resource that is short.

    With the pods that hold room there when it is short then.
    """
    held = holds_room(S, n, priority)
    if held:
        shift_held(S, n, priority, 1)
    s = S.class_shape[c]
    if not held or not fits(S, s, n):
        for r in range(S.asked.shape[1]):
            lacking[r] += S.asked[s, r] > 0 and S.asked[s, r] > S.alloc[n, r] - S.used[n, r]
    if held:
        shift_held(S, n, priority, -1)


@inner
def hold_back(S: State, c: int, priority: int, reasons: U8) -> None:
    """Write to ``reasons`` [N] why nodes that hold room for others refuse a pod of class ``c`` with those there."""
    none, deaf = reasons[:0], is_deaf(S, c)
    for h in range(S.held.shape[0]):
        n = S.held[h, 1]
        if n >= 0 and S.held[h, 2] >= priority and reasons[n] == 0:
            reasons[n] = why_with_held(S, c, n, priority, none, deaf)


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
            shift(S, S.held[h, 0], n, NOTHING_SKIPS, sign)


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
