"""The arrays that every kernel works on, and the meaning of their columns.

Sizes are capacities: a row counts only when something refers to it. N nodes, R resources, K label columns, S shapes,
C classes, B boards, P pods. A *shape* is what a pod asks of a single node (requests, selectors, tolerations, images);
a *class* is a shape together with all that depends on other pods (labels, spreading, affinity, ports). Whoever owns
the arrays may replace one by a larger copy between two calls.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]

# resources that every node has; extended ones follow
CPU, MEMORY, EPHEMERAL, PODS, SCALARS = 0, 1, 2, 3, 4
# label column 0 holds the node's own name: every node is a domain of its own there
NAME = 0
# bits of a verdict about a node's taints and features; the low bits count taints PreferNoSchedule not tolerated
SHUNS, UNSCHEDULABLE, TAINTED, FEATURELESS = 0xFFFF, 1 << 16, 1 << 17, 1 << 18
# columns of `shape_of`
PROGRAM, TOLERATION, POLICY, BOARD = 0, 1, 2, 3
# score plugins, in the order of `weights`
TAINTS, AFFINITY, FIT, SPREAD, INTERPOD, BALANCED, IMAGES = 0, 1, 2, 3, 4, 5, 6
SCORES = 7
# strategies of NodeResourcesFit
LEAST, MOST, RATIO = 0, 1, 2
# columns of `counter`, and its flags; the first two say which pods do not count, but for trials (see `accounting`)
AT, COLUMN, MASK, FLAGS = 0, 1, 2, 3
SKIPS_TERMINATING, SKIPS_ALL, HAS_PRESENT = 1, 2, 4
# columns of `terms`
KIND, COUNTER, FIRST, SECOND, THIRD = 0, 1, 2, 3, 4
PORT, HARD, NEED, AVOID, AVOIDED, SOFT, LIKE = 0, 1, 2, 3, 4, 5, 6
# columns of `mask_of`
MASK_PROGRAM, MASK_TOLERATION, MASK_COLUMNS = 0, 1, 2
# columns of `pod`, and its flags
CLASS, NODE, NEXT, PREVIOUS, POD_FLAGS = 0, 1, 2, 3, 4
TERMINATING = 1
# columns of `pod_rank`
PRIORITY, STARTED = 0, 1
# `cursor`: position in the change log, a clock for boards, nodes in use (the highest row + 1), nodes that exist
LOGGED, CLOCK, HIGH, EXIST = 0, 1, 2, 3
# why a node is refused (0: it is not), in the order in which kube-scheduler's default profile asks
BY_CORDON, BY_TAINT, BY_ENFORCED, BY_AFFINITY, BY_PORTS, BY_RESOURCES = 1, 2, 3, 4, 5, 6
BY_VOLUMES, BY_SPREAD_LABEL, BY_SPREAD, BY_NEED, BY_AVOID, BY_AVOIDED, BY_FEATURES = 7, 8, 9, 10, 11, 12, 13
# what preemption found at a node instead of a reason: nothing to look at, no pod that may go, a candidate, not tried
NO_HELP, NOBODY_LOWER, CANDIDATE, ELSEWHERE = -1, -2, -3, -4


class State(NamedTuple):
    """All of it; one argument to every kernel."""

    # nodes
    node_on: U8
    """[N] whether the row is a node."""
    node_kind: I32
    """[N] its taints, unschedulable mark and features, as a column of ``verdicts``."""
    node_head: I32
    """[N] its first pod, -1 for none."""
    alloc: I64
    """[N, R] allocatable: cpu in thousandths, all else in whole units."""
    used: I64
    """[N, R] asked for by the pods there."""
    nonzero: I64
    """[N, 2] the same of cpu and memory, where a container that asks for nothing counts as 100m and 200Mi."""
    labels: I32
    """[K, N] value of a label as a number of its column, -1 where the node lacks it."""
    cards: I32
    """[K] how many values the column has seen."""
    image_bytes: I64
    """[I, N] size of an image there, 0 where it is not."""
    image_nodes: I32
    """[I] how many nodes hold it."""
    # requirements of selectors: a table of truth per requirement, by value + 1 (0 is the absent label)
    truth_at: I32
    truth_column: I32
    truth: U8
    verdicts: I32
    """[tolerations, kinds] what a set of tolerations makes of a kind of node, see SHUNS."""
    # shapes
    asked: I64
    """[S, R] what the filter asks for (ignored resources left out)."""
    taken: I64
    """[S, R] what a pod of the shape takes."""
    asked_nonzero: I64
    """[S, 2] as ``nonzero``."""
    scored: I64
    """[S, 2] cpu and memory that NodeResourcesFit scores a new pod by: as ``nonzero``, without pod-level requests."""
    shape_of: I32
    """[S, 4] program, tolerations, policy, board (-1 for none)."""
    program: I32
    """[pool] selectors and images, see ``matching``."""
    # policies
    weights: I64
    """[policies, 7] of the score plugins; 0 is off."""
    fit_weights: I64
    """[policies, R]"""
    balanced: U8
    """[policies, R] whether BalancedAllocation looks at the resource."""
    strategy: I32
    """[policies, 2] of NodeResourcesFit, and the points of its curve."""
    curve: I64
    """[policies, 32, 2] utilization and score (0–100) of RequestedToCapacityRatio."""
    # boards: what is known of a shape on every node
    board_shape: I32
    board_seen: I64
    """[B] position in the change log that the board reflects."""
    board_used: I64
    board_varies: U8
    """[B] whether taints or preferences differ between nodes, so that scores must be normalised per decision."""
    base: I32
    """[B, N] sum of the weighted scores that need no normalising, -1 where a filter refuses the node."""
    fixed: I32
    """[B, N] the part that only a change of the node object can change, -1 where it refuses."""
    prefers: I32
    """[B, N] raw NodeAffinity score."""
    shuns: I32
    """[B, N] raw TaintToleration score."""
    log: I32
    """[power of two] nodes that changed: n for its pods, -1 - n for the object itself."""
    cursor: I64
    random: NDArray[np.uint64]
    """[1] state of a xorshift64* generator."""
    # classes
    class_shape: I32
    counted_at: I32
    counted_len: I32
    counted: I32
    """[pool] counters that a pod of the class counts in."""
    terms_at: I32
    terms_len: I32
    terms: I32
    """[pool, 5] what the class demands of counters."""
    # counters of pods per topology domain
    counter: I32
    """[counters, 4] where its counts begin, label column, mask of nodes (-1 for all), flags."""
    total: I64
    """[counters] sum over its domains."""
    counts: I32
    present: I32
    """[pool] like ``counts``: nodes of the domain that the mask lets count."""
    masks: U8
    """[masks, N]"""
    mask_of: I32
    """[masks, 3] program or -1, tolerations or -1, where its columns are in ``program`` (length first) or -1."""
    # pods that have a node
    pod: I32
    """[P, 5] class, node, next and previous on the node, flags."""
    pod_rank: I64
    """[P, 2] priority, start in milliseconds."""
    guarded_at: I32
    guarded_len: I32
    guarded: I32
    """[pool] disruption budgets that protect the pods of a class."""
    excused: I32
    """[disrupted pods, 2] pod row, and a budget that counts the pod as disrupted already; ended by -1."""
    held: I32
    """[nominations, 4] room held for pods that wait for their victims to go: class, node, priority, pod row or -1."""
    # room for intermediate results
    list_n: I32
    """[N]"""
    raw: F64
    """[N]"""
    seen: I32
    """[most domains + 1]"""
    around: I64
    """[most terms]"""
