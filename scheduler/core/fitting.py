"""NodeResourcesFit and NodeResourcesBalancedAllocation: what is free on a node, and how good it is to take it.

Formulas of kube-scheduler 1.37: plugins/noderesources/{fit,least_allocated,most_allocated,requested_to_capacity_ratio,
balanced_allocation}.go. All integers are divided as there, so that scores are equal, not near.
"""

from __future__ import annotations

import math

from .compiling import inline, inner
from .state import BALANCED, FIT, LEAST, MEMORY, MOST, PODS, SCALARS, State


@inline
def fits(S: State, s: int, n: int) -> bool:
    """Whether node ``n`` has room for shape ``s``."""
    for r in range(S.asked.shape[1]):
        wanted = S.asked[s, r]
        if wanted > 0 and wanted > S.alloc[n, r] - S.used[n, r]:
            return False
    return True


@inner
def fits_when_empty(S: State, s: int, n: int) -> bool:
    """Whether node ``n`` would have room with no pod on it; the number of pods is not looked at."""
    for r in range(S.asked.shape[1]):
        if r != PODS and S.asked[s, r] > 0 and S.asked[s, r] > S.alloc[n, r]:
            return False
    return True


@inline
def resource_score(S: State, s: int, n: int, policy: int) -> int:
    """Weighted sum of the fit and balance scores; each is 0–100 before its weight."""
    weight_fit, weight_balanced = S.weights[policy, FIT], S.weights[policy, BALANCED]
    score = 0
    if weight_fit:
        score += weight_fit * fit_score(S, s, n, policy)
    if weight_balanced:
        score += weight_balanced * balanced_score(S, s, n, policy)
    return score


@inline
def fit_score(S: State, s: int, n: int, policy: int) -> int:
    """NodeResourcesFit, 0–100. Resources that the node lacks, and extended ones not asked for, are left out."""
    strategy = S.strategy[policy, 0]
    total, weights = 0, 0
    for r in range(S.fit_weights.shape[1]):
        weight = S.fit_weights[policy, r]
        if weight == 0 or S.alloc[n, r] == 0 or (r >= SCALARS and S.taken[s, r] == 0):
            continue
        capacity = S.alloc[n, r]
        wanted = S.nonzero[n, r] + S.scored[s, r] if r <= MEMORY else S.used[n, r] + S.taken[s, r]
        if strategy == LEAST:
            total += weight * (0 if wanted > capacity else (capacity - wanted) * 100 // capacity)
            weights += weight
        elif strategy == MOST:
            total += weight * (min(wanted, capacity) * 100 // capacity)
            weights += weight
        else:
            score = on_curve(S, policy, 100 if wanted > capacity else wanted * 100 // capacity)
            if score > 0:
                total += weight * score
                weights += weight
    if weights == 0:
        return 0
    # RequestedToCapacityRatio rounds to the nearest, the other two cut off
    return total // weights if strategy <= MOST else math.floor(total / weights + 0.5)


@inner
def on_curve(S: State, policy: int, utilization: int) -> int:
    """The score at a utilization in percent, by straight lines between the points, cut off towards zero."""
    points = S.strategy[policy, 1]
    for i in range(points):
        if utilization <= S.curve[policy, i, 0]:
            if i == 0:
                return S.curve[policy, 0, 1]
            x0, y0 = S.curve[policy, i - 1, 0], S.curve[policy, i - 1, 1]
            rise = (S.curve[policy, i, 1] - y0) * (utilization - x0)
            width = S.curve[policy, i, 0] - x0
            return y0 + (rise // width if rise >= 0 else -(-rise // width))
    return S.curve[policy, points - 1, 1]


@inline
def balanced_score(S: State, s: int, n: int, policy: int) -> int:
    """NodeResourcesBalancedAllocation: 75 when the pod leaves the balance as it is, to 100 when it improves it."""
    asks, count = False, 0
    before, after = (0.0, 0.0), (0.0, 0.0)
    for r in range(S.balanced.shape[1]):
        if S.balanced[policy, r] == 0:
            continue
        taken, capacity, used = S.taken[s, r], S.alloc[n, r], S.used[n, r]
        asks = asks or taken != 0
        if capacity != 0 and (r < SCALARS or taken != 0):
            before = (min(1.0, used / capacity), before[0])
            after = (min(1.0, (used + taken) / capacity), after[0])
            count += 1
    if not asks:
        return 0
    if count > 2:
        return 50 + (50 + many_balanced(S, s, n, policy, 1) - many_balanced(S, s, n, policy, 0)) // 2
    apart, apart_before = abs((after[0] - after[1]) / 2), abs((before[0] - before[1]) / 2)
    if count < 2:
        apart, apart_before = 0.0, 0.0
    return 50 + (50 + int((1 - apart) * 100) - int((1 - apart_before) * 100)) // 2


@inner
def many_balanced(S: State, s: int, n: int, policy: int, times: int) -> int:
    """How alike the used fractions of three or more resources are with the pod ``times`` times there: 50–100."""
    count, total, squares = 0, 0.0, 0.0
    for r in range(S.balanced.shape[1]):
        if looks_at(S, s, n, policy, r):
            total += min(1.0, (S.used[n, r] + times * S.taken[s, r]) / S.alloc[n, r])
            count += 1
    mean = total / count
    for r in range(S.balanced.shape[1]):
        if looks_at(S, s, n, policy, r):
            fraction = min(1.0, (S.used[n, r] + times * S.taken[s, r]) / S.alloc[n, r])
            squares += (fraction - mean) * (fraction - mean)
    return int((1 - math.sqrt(squares / count)) * 100)


@inline
def looks_at(S: State, s: int, n: int, policy: int, r: int) -> bool:
    return S.balanced[policy, r] != 0 and S.alloc[n, r] != 0 and (r < SCALARS or S.taken[s, r] != 0)
