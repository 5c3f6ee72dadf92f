"""What is known of a shape on every node, kept and repaired.

A board is written anew when its shape comes into use, and after that only where the change log says that a node
changed. When all boards are taken, the one longest unused gives way.
"""

from __future__ import annotations

from .compiling import inline, inner
from .fitting import fits, resource_score
from .matching import image_score, object_refusal, preferred, shunned
from .state import AFFINITY, BOARD, CLOCK, EXIST, HIGH, IMAGES, LOGGED, POLICY, PROGRAM, TAINTS, State


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
def rewrite(S: State, b: int, s: int) -> None:
    """Write the whole board."""
    S.board_varies[b] = 0
    policy = S.shape_of[s, POLICY]
    for n in range(S.cursor[HIGH]):
        refresh_object(S, b, s, policy, n)
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
    elif S.cursor[LOGGED] - S.board_seen[b] > min(S.log.shape[0], 4 * S.cursor[HIGH]):
        rewrite(S, b, s)
    else:
        policy = S.shape_of[s, POLICY]
        for i in range(S.board_seen[b], S.cursor[LOGGED]):
            entry = S.log[i & (S.log.shape[0] - 1)]
            if entry >= 0:
                refresh_node(S, b, s, policy, entry)
            else:
                refresh_object(S, b, s, policy, -1 - entry)
        S.board_seen[b] = S.cursor[LOGGED]
    S.board_used[b] = S.cursor[CLOCK]
    return b
