"""What is left of a placed pod's demands when some of them cannot be read, as kube-scheduler leaves it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from ..objects import Affinity, Pod, PodAffinityTerm, PodAntiAffinity
from ..selectors import SelectorError
from .members import of_term


def readable(pod: Pod) -> Pod:
    """The pod without what only mattered while it had no node, and without each list of terms that has a bad one.

    framework/types.go, PodInfo.Update: a list of affinity terms is read as a whole or not at all, and the pod counts
    on its node in any case.
    """
    affinity = pod.spec.affinity
    near, far = (affinity.pod_affinity, affinity.pod_anti_affinity) if affinity else (None, None)
    kept = Affinity(pod_affinity=_of_side(near, pod), pod_anti_affinity=_of_side(far, pod))
    spec = replace(pod.spec, affinity=kept, node_selector=None, topology_spread_constraints=None)
    return replace(pod, spec=spec)


def _of_side(side: PodAntiAffinity | None, pod: Pod) -> PodAntiAffinity | None:
    if side is None:
        return None
    required, preferred = side.required or (), side.preferred or ()
    return PodAntiAffinity(
        required if _are_read(required, pod) else None,
        preferred if _are_read([each.pod_affinity_term for each in preferred], pod) else None,
    )


def _are_read(terms: Iterable[PodAffinityTerm], pod: Pod) -> bool:
    try:
        for term in terms:
            of_term(term, pod.metadata.namespace, own=True, of=pod.key)
    except SelectorError:
        return False
    return True
