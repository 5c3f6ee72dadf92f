"""What is known of a shape on every node, kept and repaired.

A board is written anew when its shape comes into use, and after that only where the change log says that a node
changed. When all boards are taken, the one longest unused gives way.
"""

from __future__ import annotations

from .compiling import inline, inner
from .fitting import fits, resource_score
from .matching import image_score, object_refusal, preferred, shunned
from .state import (
    AFFINITY,
    BOARD,
    CLOCK,
    EXIST,
    HIGH,
    IMAGES,
    LOGGED,
    POLICY,
    PROGRAM,
    TAINTS,
    TOLERATION,
    State,
)


@inline
def log_change(S: State, entry: int) -> None:
    """Note that node ``entry`` has other pods, or, as -1 - n, that the object itself changed."""
    S.log[S.cursor[LOGGED] & (S.log.shape[0] - 1)] = entry
    S.cursor[LOGGED] += 1


@inline
def refresh_node(S: State, b: int, s: int, policy: int, n: int) -> None:
    """Write what depends on the pods of node ``n``."""
    if S.fixed[b, n] < 0 or not fits(S, s, n):
        S.base[b, n] = -1
    else:
        S.base[b, n] = S.fixed[b, n] + resource_score(S, s, n, policy)


@inner
def refresh_object(S: State, b: int, s: int, policy: int, n: int) -> None:
    """Write what depends on the object of node ``n``, then the rest."""
    S.fixed[b, n] = -1
    S.prefers[b, n] = 0
    S.shuns[b, n] = 0
    if S.node_on[n] and object_refusal(S, s, n) == 0:
        program = S.shape_of[s, PROGRAM]
        weight = S.weights[policy, IMAGES]
        S.fixed[b, n] = weight * image_score(S, program, n, S.cursor[EXIST]) if weight else 0
        if S.weights[policy, AFFINITY]:
            S.prefers[b, n] = preferred(S, program, n)
        if S.weights[policy, TAINTS]:
            S.shuns[b, n] = shunned(S, s, n)
        if S.prefers[b, n] or S.shuns[b, n]:
            S.board_varies[b] = 1
    refresh_node(S, b, s, policy, n)


@inner
def twin(S: State, b: int, s: int) -> int:
    """The board used last whose shape asks the same of node objects as ``s``, -1 for none: only the requests differ."""
    found = -1
    for other in range(S.board_shape.shape[0]):
        t = S.board_shape[other]
        if (
            t >= 0
            and other != b
            and S.shape_of[t, PROGRAM] == S.shape_of[s, PROGRAM]
            and S.shape_of[t, TOLERATION] == S.shape_of[s, TOLERATION]
            and S.shape_of[t, POLICY] == S.shape_of[s, POLICY]
            and not out_of_reach(S, other)
            and (found < 0 or S.board_used[other] > S.board_used[found])
        ):
            found = other
    return found


@inline
def out_of_reach(S: State, b: int) -> bool:
    """Whether repairing costs more than writing anew, or the change log does not go back so far."""
    return S.cursor[LOGGED] - S.board_seen[b] > min(S.log.shape[0], 4 * S.cursor[HIGH])


@inner
def rewrite(S: State, b: int, s: int) -> None:
    """Write the whole board; what a twin knows of the objects is copied from there."""
    policy = S.shape_of[s, POLICY]
    high = S.cursor[HIGH]
    t = twin(S, b, s)
    if t >= 0:
        repair(S, t, S.board_shape[t])
        S.board_varies[b] = S.board_varies[t]
        for n in range(high):
            S.fixed[b, n], S.prefers[b, n], S.shuns[b, n] = S.fixed[t, n], S.prefers[t, n], S.shuns[t, n]
        for n in range(high):
            refresh_node(S, b, s, policy, n)
    else:
        S.board_varies[b] = 0
        for n in range(high):
            refresh_object(S, b, s, policy, n)
    S.board_seen[b] = S.cursor[LOGGED]


@inner
def repair(S: State, b: int, s: int) -> None:
    """Write what changed since the board was last looked at."""
    policy = S.shape_of[s, POLICY]
    for i in range(S.board_seen[b], S.cursor[LOGGED]):
        entry = S.log[i & (S.log.shape[0] - 1)]
        if entry >= 0:
            refresh_node(S, b, s, policy, entry)
        else:
            refresh_object(S, b, s, policy, -1 - entry)
    S.board_seen[b] = S.cursor[LOGGED]


@inner
def claim(S: State, s: int) -> int:
    """Give shape ``s`` a board: a free one, or that which was longest unused."""
    oldest = 0
    for b in range(S.board_shape.shape[0]):
        if S.board_shape[b] < 0:
            oldest = b
            break
        if S.board_used[b] < S.board_used[oldest]:
            oldest = b
    if S.board_shape[oldest] >= 0:
        S.shape_of[S.board_shape[oldest], BOARD] = -1
    S.board_shape[oldest] = s
    S.shape_of[s, BOARD] = oldest
    return oldest


@inline
def board_of(S: State, s: int) -> int:
    """The board of shape ``s``, up to date."""
    b = S.shape_of[s, BOARD]
    S.cursor[CLOCK] += 1
    if b < 0:
        b = claim(S, s)
        rewrite(S, b, s)
    elif out_of_reach(S, b):
        rewrite(S, b, s)
    else:
        repair(S, b, s)
    S.board_used[b] = S.cursor[CLOCK]
    return b
