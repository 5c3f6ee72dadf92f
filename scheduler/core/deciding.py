"""The decision: the best node for a class, ties broken at random, all nodes looked at."""

from __future__ import annotations

import numpy as np

from .accounting import seat
from .boards import board_of
from .compiling import inline, inner
from .refusing import why
from .state import (
    AFFINITY,
    HIGH,
    I32,
    INTERPOD,
    KIND,
    LIKE,
    POLICY,
    SOFT,
    SPREAD,
    TAINTS,
    State,
)
from .topology import affinity_score, ignored, prepare, refusal, scores_others, spread_score, weigh_soft

NOBODY = -1
ANY = -2
_MULTIPLIER = np.uint64(2685821657736338717)


@inline
def pick(S: State, choices: int) -> int:
    """A number below ``choices``, each as likely (xorshift64*, Vigna 2016; the bias of the modulus is below 2^-40)."""
    x = S.random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    S.random[0] = x
    return np.int64((x * _MULTIPLIER) >> np.uint64(24)) % choices  # type: ignore[return-value]


@inline
def best_of_board(S: State, b: int) -> int:
    """The node with the highest base score."""
    row = S.base[b]
    high = S.cursor[HIGH]
    best = np.int32(-1)
    for n in range(high):
        best = max(best, row[n])
    if best < 0:
        return NOBODY
    ties = 0
    for n in range(high):
        ties += row[n] == best
    nth = pick(S, ties)
    for n in range(high):
        if row[n] == best:
            if nth == 0:
                return n
            nth -= 1
    return NOBODY


@inline
def best_that_passes(S: State, c: int, b: int, first: bool) -> int:
    """The node with the highest base score among those that other pods and ``veto`` leave; nothing to normalise."""
    best, ties, chosen = -1, 0, NOBODY
    for n in range(S.cursor[HIGH]):
        score = S.base[b, n]
        if score < 0 or score < best or refusal(S, c, n, first):
            continue
        if score > best:
            best, ties, chosen = score, 1, n
        else:
            ties += 1
            if pick(S, ties) == 0:
                chosen = n
    return chosen


@inner
def feasible_nodes(S: State, c: int, b: int, first: bool) -> int:
    """Write the nodes that pass every filter to ``list_n``; their number."""
    feasible = 0
    for n in range(S.cursor[HIGH]):
        if S.base[b, n] >= 0 and refusal(S, c, n, first) == 0:
            S.list_n[feasible] = n
            feasible += 1
    return feasible


@inner
def normalize(S: State, c: int, b: int, feasible: int, policy: int, out: I32) -> None:
    """Write the normalised scores (0–100) of the nodes in ``list_n`` to ``out[0..3]``: taints, affinity, spread,
    interpod; raw ones to ``out[4..7]``."""
    most_shuns, most_prefers = 0, 0
    least_spread, most_spread = 2**62, 0
    least_pods, most_pods = 2**62, -(2**62)
    spreads, likes = False, False
    begin = S.terms_at[c]
    for i in range(begin, begin + S.terms_len[c]):
        spreads = spreads or S.terms[i, KIND] == SOFT
        likes = likes or S.terms[i, KIND] == LIKE
    spreads = spreads and S.weights[policy, SPREAD] != 0
    likes = likes and S.weights[policy, INTERPOD] != 0
    if spreads:
        weigh_soft(S, c, feasible)
    for j in range(feasible):
        n = S.list_n[j]
        most_shuns = max(most_shuns, S.shuns[b, n])
        most_prefers = max(most_prefers, S.prefers[b, n])
        out[4, j], out[5, j] = S.shuns[b, n], S.prefers[b, n]
        if spreads:
            out[6, j] = -1 if ignored(S, c, n) else spread_score(S, c, n)
            if out[6, j] >= 0:
                least_spread, most_spread = min(least_spread, out[6, j]), max(most_spread, out[6, j])
        if likes:
            out[7, j] = affinity_score(S, c, n)
            least_pods, most_pods = min(least_pods, out[7, j]), max(most_pods, out[7, j])
    for j in range(feasible):
        out[0, j] = 100 if most_shuns == 0 else 100 - 100 * out[4, j] // most_shuns
        out[1, j] = 0 if most_prefers == 0 else 100 * out[5, j] // most_prefers
        out[2, j], out[3, j] = 0, 0
        if spreads and out[6, j] >= 0:
            out[2, j] = 100 if most_spread == 0 else 100 * (most_spread + least_spread - out[6, j]) // most_spread
        if likes and most_pods > least_pods:
            out[3, j] = int(100.0 * ((out[7, j] - least_pods) / (most_pods - least_pods)))


@inner
def best_normalized(S: State, c: int, b: int, policy: int, first: bool, out: I32) -> int:
    """The node with the highest total when scores depend on who else is feasible."""
    feasible = feasible_nodes(S, c, b, first)
    normalize(S, c, b, feasible, policy, out)
    taints, affinity = S.weights[policy, TAINTS], S.weights[policy, AFFINITY]
    spread, interpod = S.weights[policy, SPREAD], S.weights[policy, INTERPOD]
    best, ties, chosen = np.int64(-1), 0, NOBODY
    for j in range(feasible):
        n = S.list_n[j]
        score = S.base[b, n] + taints * out[0, j] + affinity * out[1, j] + spread * out[2, j] + interpod * out[3, j]
        if score > best:
            best, ties, chosen = score, 1, n
        elif score == best:
            ties += 1
            if pick(S, ties) == 0:
                chosen = n
    return chosen


@inline
def choose(S: State, c: int, pin: int, out: I32) -> int:
    """The node for a pod of class ``c``, or NOBODY; ``pin`` is the only one it may have, ANY when it may have all."""
    s = S.class_shape[c]
    if pin != ANY:
        fits_there = pin >= 0 and S.node_on[pin] and why(S, c, pin, S.masks[0, :0], prepare(S, c)) == 0
        return pin if fits_there else NOBODY
    b = board_of(S, s)
    if S.terms_len[c] == 0 and S.board_varies[b] == 0:
        return best_of_board(S, b)
    first = prepare(S, c)
    if S.board_varies[b] == 0 and not scores_others(S, c):
        return best_that_passes(S, c, b, first)
    return best_normalized(S, c, b, S.shape_of[s, POLICY], first, out)


@inner
def place(S: State, classes: I32, rows: I32, pins: I32, out: I32, chosen: I32) -> int:
    """Decide pods ``rows`` of ``classes`` one after another, each seated before the next; how many got a node.

    ``pins`` are as in ``choose``; ``out`` [8, N] is room to work in; ``chosen`` gets the nodes, NOBODY for none. The
    rows of the pods carry their flags and rank already.
    """
    placed = 0
    for i in range(classes.shape[0]):
        n = choose(S, classes[i], pins[i], out)
        chosen[i] = n
        if n >= 0:
            seat(S, rows[i], classes[i], n)
            placed += 1
    return placed
