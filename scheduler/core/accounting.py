"""Which pod is where, and what counts of it: resources on its node, and counters per topology domain.

``apply`` with +1 and -1 are exact opposites. A node object changes between ``detach`` and ``attach``: its pods are
taken out of all counters under the old labels and put back under the new.

``skips`` are flags of counters that do not count the pod: SKIPS_ALL, and SKIPS_TERMINATING for one that is being
deleted. A trial has none: as PodTopologySpread of kube-scheduler does, what preemption takes away in thought, and who
is nominated, counts though it is being deleted, and under an empty selector too.
"""

from __future__ import annotations

from .boards import log_change
from .compiling import inline, inner
from .matching import mask_lets
from .state import (
    AT,
    CLASS,
    COLUMN,
    FLAGS,
    HAS_PRESENT,
    MASK,
    NEXT,
    NODE,
    POD_FLAGS,
    PREVIOUS,
    SKIPS_ALL,
    SKIPS_TERMINATING,
    TERMINATING,
    U8,
    State,
)

NOTHING_SKIPS = 0
"""For trials."""


@inline
def domain(S: State, k: int, n: int) -> int:
    """Where counter ``k`` counts node ``n``, -1 when it does not."""
    mask = S.counter[k, MASK]
    if mask >= 0 and S.masks[mask, n] == 0:
        return -1
    value = S.labels[S.counter[k, COLUMN], n]
    return -1 if value < 0 else S.counter[k, AT] + value


@inline
def skips_of(S: State, p: int) -> int:
    """The flags of counters that do not count pod row ``p``."""
    return SKIPS_ALL | (SKIPS_TERMINATING if S.pod[p, POD_FLAGS] & TERMINATING else 0)


@inline
def count(S: State, c: int, n: int, skips: int, sign: int) -> None:
    """Add a pod of class ``c`` on node ``n`` to its counters, or take it off."""
    for i in range(S.counted_at[c], S.counted_at[c] + S.counted_len[c]):
        k = S.counted[i]
        if S.counter[k, FLAGS] & skips:
            continue
        at = domain(S, k, n)
        if at >= 0:
            S.counts[at] += sign
            S.total[k] += sign


@inline
def shift(S: State, c: int, n: int, skips: int, sign: int) -> None:
    """As ``apply``, unseen by the boards: for a trial that is taken back before the next decision."""
    s = S.class_shape[c]
    for r in range(S.taken.shape[1]):
        S.used[n, r] += sign * S.taken[s, r]
    S.nonzero[n, 0] += sign * S.asked_nonzero[s, 0]
    S.nonzero[n, 1] += sign * S.asked_nonzero[s, 1]
    count(S, c, n, skips, sign)


@inline
def apply(S: State, c: int, n: int, skips: int, sign: int) -> None:
    """A pod of class ``c`` comes to node ``n`` (+1) or goes (-1)."""
    shift(S, c, n, skips, sign)
    log_change(S, n)


@inline
def seat(S: State, p: int, c: int, n: int) -> None:
    """Pod row ``p`` of class ``c`` is on node ``n`` from now on."""
    S.pod[p, CLASS] = c
    S.pod[p, NODE] = n
    S.pod[p, PREVIOUS] = -1
    S.pod[p, NEXT] = S.node_head[n]
    if S.node_head[n] >= 0:
        S.pod[S.node_head[n], PREVIOUS] = p
    S.node_head[n] = p
    apply(S, c, n, skips_of(S, p), 1)


@inline
def unseat(S: State, p: int) -> None:
    """Pod row ``p`` is on no node any more."""
    before, after, n = S.pod[p, PREVIOUS], S.pod[p, NEXT], S.pod[p, NODE]
    if before >= 0:
        S.pod[before, NEXT] = after
    else:
        S.node_head[n] = after
    if after >= 0:
        S.pod[after, PREVIOUS] = before
    apply(S, S.pod[p, CLASS], n, skips_of(S, p), -1)
    S.pod[p, NODE] = -1


@inner
def detach(S: State, n: int) -> None:
    """Take node ``n``, as it is, out of all counters."""
    p = S.node_head[n]
    while p >= 0:
        count(S, S.pod[p, CLASS], n, skips_of(S, p), -1)
        p = S.pod[p, NEXT]
    presence(S, n, -1)


@inner
def attach(S: State, n: int) -> None:
    """Put node ``n``, as it is now, into all masks and counters."""
    for m in range(S.mask_of.shape[0]):
        S.masks[m, n] = S.node_on[n] and mask_lets(S, m, n)
    p = S.node_head[n]
    while p >= 0:
        count(S, S.pod[p, CLASS], n, skips_of(S, p), 1)
        p = S.pod[p, NEXT]
    presence(S, n, 1)
    log_change(S, -1 - n)


@inner
def presence(S: State, n: int, sign: int) -> None:
    """Count node ``n`` in or out of the domains of the counters that ask how many domains there are."""
    if S.node_on[n]:
        for k in range(S.counter.shape[0]):
            if S.counter[k, FLAGS] & HAS_PRESENT:
                at = domain(S, k, n)
                if at >= 0:
                    S.present[at] += sign


@inner
def recount(S: State, k: int, high: int, member: U8) -> None:
    """Fill the new counter ``k`` (its rows are zero) from ``high`` node rows; ``member[c]``: class c counts in it."""
    for n in range(high):
        at = domain(S, k, n)
        if at < 0:
            continue
        if S.node_on[n] and S.counter[k, FLAGS] & HAS_PRESENT:
            S.present[at] += 1
        p = S.node_head[n]
        while p >= 0:
            if member[S.pod[p, CLASS]] and not S.counter[k, FLAGS] & skips_of(S, p):
                S.counts[at] += 1
                S.total[k] += 1
            p = S.pod[p, NEXT]
