"""Whether a node suits a shape by what the node object itself says: selectors, taints, features, images.

A program is a run of numbers in ``State.program``:

    enforced groups, pod's groups, preferred terms, images, containers; then the images' rows; then for each group:
    terms, then for each term: requirements and their numbers; then for each preferred term: weight, requirements and
    their numbers

A group holds when one of its terms does (a group without terms never does); a term when all its requirements do.
"""

from __future__ import annotations

from .compiling import inline, inner
from .state import (
    BY_AFFINITY,
    BY_CORDON,
    BY_ENFORCED,
    BY_FEATURES,
    BY_TAINT,
    FEATURELESS,
    MASK_COLUMNS,
    MASK_PROGRAM,
    MASK_TOLERATION,
    PROGRAM,
    SHUNS,
    TAINTED,
    TOLERATION,
    UNSCHEDULABLE,
    State,
)

HEADER = 5
# imagelocality/image_locality.go: sums below 23 MB count as nothing, above 1000 MB per container as everything
_MB = 1024 * 1024
IMAGE_LEAST, IMAGE_MOST = 23 * _MB, 1000 * _MB


@inline
def term_holds(S: State, at: int, n: int) -> bool:
    """Whether all requirements of the term at ``at`` (their number first) hold on node ``n``."""
    for i in range(at + 1, at + 1 + S.program[at]):
        requirement = S.program[i]
        value = S.labels[S.truth_column[requirement], n]
        if S.truth[S.truth_at[requirement] + value + 1] == 0:
            return False
    return True


@inner
def required(S: State, program: int, n: int) -> int:
    """0, or which of BY_ENFORCED and BY_AFFINITY refuses node ``n``."""
    at = program + HEADER + S.program[program + 3]
    enforced = S.program[program]
    for group in range(enforced + S.program[program + 1]):
        holds = False
        terms = S.program[at]
        at += 1
        for _ in range(terms):
            if not holds and S.program[at] > 0:
                holds = term_holds(S, at, n)
            at += 1 + S.program[at]
        if not holds:
            return BY_ENFORCED if group < enforced else BY_AFFINITY
    return 0


@inner
def preferred(S: State, program: int, n: int) -> int:
    """The sum of the weights of the preferred terms that hold on node ``n``."""
    at = program + HEADER + S.program[program + 3]
    for _ in range(S.program[program] + S.program[program + 1]):
        terms = S.program[at]
        at += 1
        for _ in range(terms):
            at += 1 + S.program[at]
    score = 0
    for _ in range(S.program[program + 2]):
        if S.program[at + 1] > 0 and term_holds(S, at + 1, n):
            score += S.program[at]
        at += 2 + S.program[at + 1]
    return score


@inner
def image_score(S: State, program: int, n: int, nodes: int) -> int:
    """ImageLocality, 0–100; ``nodes`` is how many there are in all."""
    total = 0
    for i in range(program + HEADER, program + HEADER + S.program[program + 3]):
        image = S.program[i]
        size = S.image_bytes[image, n]
        if size > 0:
            total += int(size * (S.image_nodes[image] / nodes))
    if total <= IMAGE_LEAST:
        return 0
    most = IMAGE_MOST * S.program[program + 4]
    return 100 * (min(total, most) - IMAGE_LEAST) // (most - IMAGE_LEAST)


@inner
def object_refusal(S: State, s: int, n: int) -> int:
    """Why node ``n`` refuses shape ``s`` whatever runs there, in the order of kube-scheduler's filters; 0 for not."""
    verdict = S.verdicts[S.shape_of[s, TOLERATION], S.node_kind[n]]
    if verdict & UNSCHEDULABLE:
        return BY_CORDON
    if verdict & TAINTED:
        return BY_TAINT
    refusal = required(S, S.shape_of[s, PROGRAM], n)
    if refusal:
        return refusal
    return BY_FEATURES if verdict & FEATURELESS else 0


@inner
def shunned(S: State, s: int, n: int) -> int:
    """Taints PreferNoSchedule of node ``n`` that shape ``s`` does not tolerate."""
    return S.verdicts[S.shape_of[s, TOLERATION], S.node_kind[n]] & SHUNS


@inner
def mask_lets(S: State, m: int, n: int) -> bool:
    """Whether node ``n`` counts under mask ``m``."""
    program = S.mask_of[m, MASK_PROGRAM]
    if program >= 0 and required(S, program, n):
        return False
    toleration = S.mask_of[m, MASK_TOLERATION]
    if toleration >= 0 and S.verdicts[toleration, S.node_kind[n]] & TAINTED:
        return False
    at = S.mask_of[m, MASK_COLUMNS]
    if at >= 0:
        for i in range(at + 1, at + 1 + S.program[at]):
            if S.labels[S.program[i], n] < 0:
                return False
    return True
