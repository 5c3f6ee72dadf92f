"""PodTopologySpread, InterPodAffinity and NodePorts: what a class demands of the counters.

Semantics of kube-scheduler 1.37: plugins/podtopologyspread/{filtering,scoring}.go and plugins/interpodaffinity/
{filtering,scoring}.go. A class has its terms in the order of their kinds: filters (PORT to AVOIDED), then scores.
"""

from __future__ import annotations

import math

from .compiling import inline, inner
from .state import (
    AT,
    AVOID,
    BY_AVOID,
    BY_AVOIDED,
    BY_NEED,
    BY_PORTS,
    BY_SPREAD,
    BY_SPREAD_LABEL,
    COLUMN,
    COUNTER,
    FIRST,
    HARD,
    KIND,
    LIKE,
    NEED,
    PORT,
    SECOND,
    SOFT,
    THIRD,
    State,
)


@inner
def fewest(S: State, k: int, min_domains: int) -> int:
    """The least count over the domains that are there; 0 when they are fewer than ``min_domains``."""
    domains, least = 0, 0
    at = S.counter[k, AT]
    for d in range(at, at + S.cards[S.counter[k, COLUMN]]):
        if S.present[d] > 0:
            if domains == 0 or S.counts[d] < least:
                least = S.counts[d]
            domains += 1
    return least if domains >= min_domains else 0


@inner
def prepare(S: State, c: int) -> bool:
    """Work out what is the same for all nodes; true when the pod may be the first of its group.

    The first pod that needs others like itself near would wait for ever, so while nothing matches anywhere, a pod
    that matches its own terms needs nobody.
    """
    first, needs = True, False
    begin = S.terms_at[c]
    for i in range(S.terms_len[c]):
        kind, k = S.terms[begin + i, KIND], S.terms[begin + i, COUNTER]
        if kind == HARD:
            S.around[i] = fewest(S, k, S.terms[begin + i, THIRD])
        elif kind == NEED:
            needs = True
            first = first and S.total[k] == 0 and S.terms[begin + i, FIRST] != 0
    return first and needs


@inline
def refusal(S: State, c: int, n: int, first: bool) -> int:
    """0, or why other pods keep class ``c`` from node ``n``; after ``prepare``."""
    begin = S.terms_at[c]
    for i in range(begin, begin + S.terms_len[c]):
        kind = S.terms[i, KIND]
        if kind >= SOFT:
            return 0
        k = S.terms[i, COUNTER]
        value = S.labels[S.counter[k, COLUMN], n]
        if value < 0:
            if kind == HARD:
                return BY_SPREAD_LABEL
            if kind == NEED:
                return BY_NEED
            continue
        there = S.counts[S.counter[k, AT] + value]
        if kind == HARD:
            if there + S.terms[i, SECOND] - S.around[i - begin] > S.terms[i, FIRST]:
                return BY_SPREAD
        elif kind == NEED:
            if there <= 0 and not first:
                return BY_NEED
        elif there > 0:
            return BY_PORTS if kind == PORT else BY_AVOID if kind == AVOID else BY_AVOIDED
    return 0


@inner
def scores_others(S: State, c: int) -> bool:
    """Whether the class has terms that score."""
    length = S.terms_len[c]
    return length > 0 and S.terms[S.terms_at[c] + length - 1, KIND] >= SOFT


@inner
def weigh_soft(S: State, c: int, feasible: int) -> None:
    """Set the weight of every soft constraint: log(domains among the feasible nodes + 2), as thousandths are too few
    kept in ``raw[1]`` by term. ``list_n`` holds the feasible nodes.

    THIRD of a soft term is the column whose label the constraint names (the counter of ``kubernetes.io/hostname``
    counts by node); SECOND says whether nodes that lack a label are left out of scoring.
    """
    begin = S.terms_at[c]
    for i in range(S.terms_len[c]):
        if S.terms[begin + i, KIND] != SOFT:
            continue
        column = S.terms[begin + i, THIRD]
        by_node = S.counter[S.terms[begin + i, COUNTER], COLUMN] != column
        domains = 0
        for d in range(S.cards[column] + 1):
            S.seen[d] = 0
        for j in range(feasible):
            n = S.list_n[j]
            if ignored(S, c, n):
                continue
            value = S.labels[column, n] + 1
            if by_node or S.seen[value] == 0:
                S.seen[value] = 1
                domains += 1
        S.raw[1, i] = math.log(domains + 2.0)


@inline
def ignored(S: State, c: int, n: int) -> bool:
    """Whether soft spreading leaves node ``n`` out because it lacks a topology label."""
    begin = S.terms_at[c]
    for i in range(begin, begin + S.terms_len[c]):
        if S.terms[i, KIND] == SOFT and S.terms[i, SECOND] and S.labels[S.terms[i, THIRD], n] < 0:
            return True
    return False


@inline
def spread_score(S: State, c: int, n: int) -> int:
    """Raw PodTopologySpread score of node ``n``, the smaller the better; after ``weigh_soft``."""
    begin = S.terms_at[c]
    score = 0.0
    for i in range(S.terms_len[c]):
        if S.terms[begin + i, KIND] == SOFT and S.labels[S.terms[begin + i, THIRD], n] >= 0:
            k = S.terms[begin + i, COUNTER]
            there = S.counts[S.counter[k, AT] + S.labels[S.counter[k, COLUMN], n]]
            score += there * S.raw[1, i] + (S.terms[begin + i, FIRST] - 1)
    return math.floor(score + 0.5)


@inline
def affinity_score(S: State, c: int, n: int) -> int:
    """Raw InterPodAffinity score of node ``n``: weights times pods in its domains."""
    begin = S.terms_at[c]
    score = 0
    for i in range(begin, begin + S.terms_len[c]):
        if S.terms[i, KIND] == LIKE:
            k = S.terms[i, COUNTER]
            value = S.labels[S.counter[k, COLUMN], n]
            if value >= 0:
                score += S.terms[i, FIRST] * S.counts[S.counter[k, AT] + value]
    return score
