"""The first filter that keeps a pod from a node, in the order in which kube-scheduler asks them."""

from __future__ import annotations

from .compiling import inner
from .fitting import fits
from .matching import object_refusal
from .state import BY_FEATURES, BY_PORTS, BY_RESOURCES, BY_VOLUMES, U8, State
from .topology import refusal


@inner
def why(S: State, c: int, n: int, veto: U8, first: bool) -> int:
    """The first filter, in kube-scheduler's order, that keeps class ``c`` from node ``n``; after ``prepare``."""
    s = S.class_shape[c]
    by_object = object_refusal(S, s, n)
    if by_object and by_object != BY_FEATURES:
        return by_object
    by_others = refusal(S, c, n, first)
    if by_others == BY_PORTS:
        return by_others
    if not fits(S, s, n):
        return BY_RESOURCES
    if veto.shape[0] and veto[n]:
        return BY_VOLUMES
    return by_others if by_others else by_object
