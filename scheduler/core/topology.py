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
    I32,
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
def leave(S: State, c: int, candidates: int, first: bool) -> int:
    """Strike from ``list_n`` the nodes that ``refusal`` would refuse, term by term; how many are left."""
    begin = S.terms_at[c]
    for i in range(S.terms_len[c]):
        if S.terms[begin + i, KIND] >= SOFT:
            break
        candidates = strike(S, begin + i, S.around[i], candidates, first)
    return candidates


@inner
def strike(S: State, term: int, around: int, candidates: int, first: bool) -> int:
    """Strike the nodes that one term refuses."""
    kind, k = S.terms[term, KIND], S.terms[term, COUNTER]
    values, at = S.labels[S.counter[k, COLUMN]], S.counter[k, AT]
    most = around + S.terms[term, FIRST] - S.terms[term, SECOND]
    kept = 0
    for j in range(candidates):
        n = S.list_n[j]
        value = values[n]
        if kind == HARD:
            stays = value >= 0 and S.counts[at + value] <= most
        elif kind == NEED:
            stays = value >= 0 and (first or S.counts[at + value] > 0)
        else:
            stays = value < 0 or S.counts[at + value] <= 0
        S.list_n[kept] = n
        kept += stays
    return kept


@inner
def score_spread(S: State, c: int, feasible: int) -> None:
    """Write the raw PodTopologySpread scores of the nodes in ``list_n`` to ``raw``, the smaller the better; -1 for a
    node that is left out because it lacks a label.

    A soft term weighs log(its domains among the feasible nodes + 2). THIRD is the column whose label the constraint
    names (the counter of ``kubernetes.io/hostname`` counts by node); SECOND says whether nodes that lack a label of
    some soft term are left out.
    """
    begin, end = S.terms_at[c], S.terms_at[c] + S.terms_len[c]
    for j in range(feasible):
        S.raw[j] = 0.0
    for i in range(begin, end):
        if S.terms[i, KIND] == SOFT and S.terms[i, SECOND]:
            values = S.labels[S.terms[i, THIRD]]
            for j in range(feasible):
                if values[S.list_n[j]] < 0:
                    S.raw[j] = -1.0
    for i in range(begin, end):
        if S.terms[i, KIND] == SOFT:
            add_soft(S, i, feasible)


@inner
def add_soft(S: State, term: int, feasible: int) -> None:
    """Add what one soft constraint counts."""
    k, named = S.terms[term, COUNTER], S.labels[S.terms[term, THIRD]]
    column, at = S.counter[k, COLUMN], S.counter[k, AT]
    domains = 0
    if column != S.terms[term, THIRD]:
        for j in range(feasible):
            domains += S.raw[j] >= 0
    else:
        for d in range(S.cards[column] + 1):
            S.seen[d] = 0
        for j in range(feasible):
            if S.raw[j] >= 0 and S.seen[named[S.list_n[j]] + 1] == 0:
                S.seen[named[S.list_n[j]] + 1] = 1
                domains += 1
    weight, more = math.log(domains + 2.0), S.terms[term, FIRST] - 1
    values = S.labels[column]
    for j in range(feasible):
        n = S.list_n[j]
        if S.raw[j] >= 0 and named[n] >= 0:
            S.raw[j] += S.counts[at + values[n]] * weight + more


@inner
def score_affinity(S: State, c: int, feasible: int, out: I32) -> None:
    """Write the raw InterPodAffinity scores of the nodes in ``list_n`` to ``out``: weights times pods in the domain."""
    for j in range(feasible):
        out[j] = 0
    for i in range(S.terms_at[c], S.terms_at[c] + S.terms_len[c]):
        if S.terms[i, KIND] == LIKE:
            k, weight = S.terms[i, COUNTER], S.terms[i, FIRST]
            values, at = S.labels[S.counter[k, COLUMN]], S.counter[k, AT]
            for j in range(feasible):
                value = values[S.list_n[j]]
                if value >= 0:
                    out[j] += weight * S.counts[at + value]
