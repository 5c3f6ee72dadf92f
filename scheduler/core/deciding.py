"""The decision: the best node for a class, ties broken at random, all nodes looked at."""

from __future__ import annotations

import math

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
from .topology import leave, prepare, score_affinity, score_spread, scores_others

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


@inner
def feasible_nodes(S: State, c: int, b: int, first: bool) -> int:
    """Write the nodes that pass every filter to ``list_n``; their number. After ``prepare``."""
    row = S.base[b]
    candidates = 0
    for n in range(S.cursor[HIGH]):
        S.list_n[candidates] = n
        candidates += row[n] >= 0
    return leave(S, c, candidates, first)


@inner
def normalize(S: State, c: int, b: int, feasible: int, policy: int, out: I32) -> None:
    """Write the normalised scores (0–100) of the nodes in ``list_n`` to ``out[0..3]``: taints, affinity, spread,
    interpod; raw ones to ``out[4..7]``."""
    spreads, likes = False, False
    for i in range(S.terms_at[c], S.terms_at[c] + S.terms_len[c]):
        spreads = spreads or S.terms[i, KIND] == SOFT
        likes = likes or S.terms[i, KIND] == LIKE
    own_scores(S, b, feasible, out)
    spread_scores(S, c, feasible, spreads and S.weights[policy, SPREAD] != 0, out[2], out[6])
    affinity_scores(S, c, feasible, likes and S.weights[policy, INTERPOD] != 0, out[3], out[7])


@inner
def own_scores(S: State, b: int, feasible: int, out: I32) -> None:
    """TaintToleration and NodeAffinity: the most among the feasible nodes is 100, or 0 where less is better."""
    most_shuns, most_prefers = 0, 0
    if S.board_varies[b]:
        for j in range(feasible):
            n = S.list_n[j]
            out[4, j], out[5, j] = S.shuns[b, n], S.prefers[b, n]
            most_shuns, most_prefers = max(most_shuns, out[4, j]), max(most_prefers, out[5, j])
        for j in range(feasible):
            out[0, j] = 100 if most_shuns == 0 else 100 - 100 * out[4, j] // most_shuns
            out[1, j] = 0 if most_prefers == 0 else 100 * out[5, j] // most_prefers
    else:
        for j in range(feasible):
            out[0, j], out[1, j], out[4, j], out[5, j] = 100, 0, 0, 0


@inner
def spread_scores(S: State, c: int, feasible: int, wanted: bool, out: I32, raw: I32) -> None:
    """PodTopologySpread: the least crowded is 100 when some node has nobody near; a node left out is 0."""
    if not wanted:
        for j in range(feasible):
            out[j], raw[j] = 0, 0
        return
    score_spread(S, c, feasible)
    least, most = 2**30, 0
    for j in range(feasible):
        raw[j] = -1 if S.raw[j] < 0 else math.floor(S.raw[j] + 0.5)
        if raw[j] >= 0:
            least, most = min(least, raw[j]), max(most, raw[j])
    for j in range(feasible):
        if raw[j] < 0:
            out[j] = 0
        else:
            out[j] = 100 if most == 0 else 100 * (most + least - raw[j]) // most


@inner
def affinity_scores(S: State, c: int, feasible: int, wanted: bool, out: I32, raw: I32) -> None:
    """InterPodAffinity: 0 for the least, 100 for the most."""
    if not wanted:
        for j in range(feasible):
            out[j], raw[j] = 0, 0
        return
    score_affinity(S, c, feasible, raw)
    least, most = 2**31 - 1, -(2**31)
    for j in range(feasible):
        least, most = min(least, raw[j]), max(most, raw[j])
    for j in range(feasible):
        out[j] = 0 if most == least else int(100.0 * ((raw[j] - least) / (most - least)))


@inner
def best_in_list(S: State, feasible: int, total: I32) -> int:
    """The node of ``list_n`` with the highest total."""
    best, ties = np.int32(-1), 0
    for j in range(feasible):
        best = max(best, total[j])
    for j in range(feasible):
        ties += total[j] == best
    if ties == 0:
        return NOBODY
    nth = pick(S, ties)
    for j in range(feasible):
        if total[j] == best:
            if nth == 0:
                return S.list_n[j]
            nth -= 1
    return NOBODY


@inner
def add_up(S: State, b: int, policy: int, feasible: int, normalized: bool, out: I32) -> None:
    """Write the weighted totals of the nodes in ``list_n`` to ``out[11]``."""
    total = out[11]
    for j in range(feasible):
        total[j] = S.base[b, S.list_n[j]]
    if normalized:
        taints, affinity = S.weights[policy, TAINTS], S.weights[policy, AFFINITY]
        spread, interpod = S.weights[policy, SPREAD], S.weights[policy, INTERPOD]
        for j in range(feasible):
            total[j] += taints * out[0, j] + affinity * out[1, j] + spread * out[2, j] + interpod * out[3, j]


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
    feasible = feasible_nodes(S, c, b, prepare(S, c))
    policy = S.shape_of[s, POLICY]
    normalized = S.board_varies[b] != 0 or scores_others(S, c)
    if normalized:
        normalize(S, c, b, feasible, policy, out)
    add_up(S, b, policy, feasible, normalized, out)
    return best_in_list(S, feasible, out[11])


@inner
def place(S: State, classes: I32, rows: I32, pins: I32, out: I32, chosen: I32) -> int:
    """Decide pods ``rows`` of ``classes`` one after another, each seated before the next; how many got a node.

    ``pins`` are as in ``choose``; ``out`` [12, N] is room to work in; ``chosen`` gets the nodes, NOBODY for none. The
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
