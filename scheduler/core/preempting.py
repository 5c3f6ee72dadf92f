"""Preemption: which pods of lower priority would have to go, and from which node, as kube-scheduler chooses them.

pkg/scheduler/framework/preemption/preemption.go and plugins/defaultpreemption: on each node all lower pods are taken
off in thought; if the pod then fits, they are put back one by one, the protected and the important first, as long as
it still fits. Among the nodes: fewest violated budgets, then the lowest highest priority among the victims, the
lowest sum of priorities, the fewest victims, the latest start of the most important victims. All nodes are tried.
"""

from __future__ import annotations

import numpy as np

from .accounting import NOTHING_SKIPS, shift
from .compiling import inner
from .evaluating import count_lacking, is_deaf, passes_with_held
from .fitting import fits_when_empty
from .state import (
    BY_FEATURES,
    BY_NEED,
    BY_PORTS,
    BY_RESOURCES,
    BY_SPREAD_LABEL,
    BY_VOLUMES,
    CANDIDATE,
    CLASS,
    ELSEWHERE,
    HIGH,
    I32,
    I64,
    NEXT,
    NO_HELP,
    NOBODY_LOWER,
    PRIORITY,
    STARTED,
    U8,
    State,
)

VETO_MAY_FALL, VETO_MAY_RISE = 2, 3
"""In a veto: it may fall, or come up, when pods are taken away. Such nodes are tried elsewhere."""
_OFFSET = np.int64(2**31)
"""Added to each priority before summing, so that more victims never weigh less: MaxInt32 + 1 in preemption.go."""


@inner
def helps(S: State, c: int, n: int, reason: int) -> bool:
    """Whether taking pods away can undo ``reason``."""
    if reason < BY_PORTS or reason in (BY_VOLUMES, BY_SPREAD_LABEL, BY_NEED, BY_FEATURES):
        return False
    return reason != BY_RESOURCES or fits_when_empty(S, S.class_shape[c], n)


@inner
def move(S: State, p: int, n: int, sign: int) -> None:
    shift(S, S.pod[p, CLASS], n, NOTHING_SKIPS, sign)


@inner
def without(S: State, c: int, n: int, priority: int, veto: U8, rows: I32) -> int:
    """Why node ``n`` refuses class ``c`` when the pods ``rows`` are taken away from there, 0 when it does not.

    ``veto`` is as of the cluster without them. Nothing is changed.
    """
    deaf = is_deaf(S, c)
    for i in range(rows.shape[0]):
        move(S, rows[i], n, -1)
    reason = passes_with_held(S, c, n, priority, veto, deaf)
    for i in range(rows.shape[0]):
        move(S, rows[i], n, 1)
    return reason


@inner
def lower_pods(S: State, n: int, priority: int, rows: I32) -> int:
    """Write the pods on node ``n`` below ``priority`` to ``rows``, the most important first; their number."""
    size = 0
    p = S.node_head[n]
    while p >= 0:
        if S.pod_rank[p, PRIORITY] < priority:
            at = size
            while at > 0 and more_important(S, p, rows[at - 1]):
                rows[at] = rows[at - 1]
                at -= 1
            rows[at] = p
            size += 1
        p = S.pod[p, NEXT]
    return size


@inner
def more_important(S: State, a: int, b: int) -> bool:
    if S.pod_rank[a, PRIORITY] != S.pod_rank[b, PRIORITY]:
        return S.pod_rank[a, PRIORITY] > S.pod_rank[b, PRIORITY]
    return S.pod_rank[a, STARTED] < S.pod_rank[b, STARTED]


@inner
def protect(S: State, rows: I32, size: int, budget_left: I32, protected: U8) -> None:
    """Mark the pods whose loss would violate a budget, given ``budget_left`` disruptions of each (used up here).

    A pod that violates one is not counted by the budgets after it, and a budget that counts a pod as disrupted
    already does not count it again.
    """
    for i in range(size):
        c = S.pod[rows[i], CLASS]
        protected[i] = 0
        for j in range(S.guarded_at[c], S.guarded_at[c] + S.guarded_len[c]):
            budget = S.guarded[j]
            if protected[i] or is_excused(S, rows[i], budget):
                continue
            budget_left[budget] -= 1
            protected[i] = budget_left[budget] < 0


@inner
def is_excused(S: State, p: int, budget: int) -> bool:
    for i in range(S.excused.shape[0]):
        if S.excused[i, 0] < 0:
            return False
        if S.excused[i, 0] == p and S.excused[i, 1] == budget:
            return True
    return False


@inner
def reprieve(
    S: State, c: int, n: int, priority: int, veto: U8, deaf: bool, rows: I32, size: int, protected: U8, spared: U8
) -> int:
    """Put pods back while the pod still fits, protected ones first; how many budgets stay violated."""
    violations = 0
    for turn in (1, 0):
        for i in range(size):
            if protected[i] != turn:
                continue
            move(S, rows[i], n, 1)
            spared[i] = passes_with_held(S, c, n, priority, veto, deaf) == 0
            if not spared[i]:
                move(S, rows[i], n, -1)
                violations += turn
    return violations


@inner
def better(a: I64, b: I64) -> bool:
    for i in range(a.shape[0]):
        if a[i] != b[i]:
            return a[i] < b[i]
    return False


@inner
def cost(S: State, rows: I32, size: int, spared: U8, violations: int, into: I64) -> None:
    """Write what the victims are worth: the lower, the better the node."""
    top, total, number, start = -_OFFSET, np.int64(0), 0, np.int64(2**62)
    for i in range(size):
        if spared[i]:
            continue
        priority = S.pod_rank[rows[i], PRIORITY]
        top = max(top, priority)
        total += priority + _OFFSET
        number += 1
    for i in range(size):
        if not spared[i] and S.pod_rank[rows[i], PRIORITY] == top:
            start = min(start, S.pod_rank[rows[i], STARTED])
    into[0], into[1], into[2], into[3], into[4] = violations, top, total, number, -start


@inner
def preempt(
    S: State, c: int, priority: int, veto: U8, budgets: I32, left: I32, victims: I32, marks: U8, costs: I64
) -> int:
    """The node where the fewest and least important pods must go for a pod of class ``c``, or -1.

    ``budgets`` are the disruptions that each budget still allows (``left`` as long, to work in). ``victims`` [2, most
    pods on a node + 1] gets the rows of the pods in its first line, ended by -1, the most important first; ``costs``
    [3, R, 5 at least] the cost in its first line (violations first), and in its third how many nodes are short of
    each resource with all lower pods gone. ``marks`` [2, as ``victims``] is room. ``list_n`` tells of each node what
    was found: a candidate, or why not. Nothing is changed.
    """
    rows, protected, spared = victims[1], marks[0], marks[1]
    chosen, deaf = -1, is_deaf(S, c)
    for n in range(S.cursor[HIGH]):
        if not S.node_on[n]:
            continue
        S.list_n[n] = NO_HELP
        tried_elsewhere = veto.shape[0] > 0 and veto[n] >= VETO_MAY_FALL
        reason = passes_with_held(S, c, n, priority, veto[:0] if tried_elsewhere else veto, deaf)
        if tried_elsewhere:
            by_volumes = veto[n] == VETO_MAY_FALL and (reason == 0 or reason > BY_VOLUMES)
            if by_volumes or helps(S, c, n, reason):
                S.list_n[n] = ELSEWHERE
            continue
        if not helps(S, c, n, reason):
            continue
        size = lower_pods(S, n, priority, rows)
        if size == 0:
            S.list_n[n] = NOBODY_LOWER
            continue
        for i in range(size):
            move(S, rows[i], n, -1)
        S.list_n[n] = passes_with_held(S, c, n, priority, veto, deaf)
        if S.list_n[n] == BY_RESOURCES:
            count_lacking(S, c, n, priority, costs[2])
        if S.list_n[n] == 0:
            S.list_n[n] = CANDIDATE
            for i in range(budgets.shape[0]):
                left[i] = budgets[i]
            protect(S, rows, size, left, protected)
            violations = reprieve(S, c, n, priority, veto, deaf, rows, size, protected, spared)
            cost(S, rows, size, spared, violations, costs[1])
            if chosen < 0 or better(costs[1], costs[0]):
                chosen = n
                keep(rows, size, spared, victims[0])
                for i in range(costs.shape[1]):
                    costs[0, i] = costs[1, i]
        else:
            for i in range(size):
                spared[i] = 0
        for i in range(size):
            if not spared[i]:
                move(S, rows[i], n, 1)
    return chosen


@inner
def keep(rows: I32, size: int, spared: U8, into: I32) -> None:
    """Write those that are not spared, ended by -1."""
    kept = 0
    for i in range(size):
        if not spared[i]:
            into[kept] = rows[i]
            kept += 1
    into[kept] = -1
