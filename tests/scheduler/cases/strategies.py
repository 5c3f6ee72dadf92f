"""Cases for hypothesis: it chooses the seed, and which pods and nodes of that case are there, so that a failing one
gets smaller by losing them. (It could draw every choice of a case; that is a hundred times slower.)"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from .case import Case, make_case


@st.composite
def cases(draw: st.DrawFn, themes: Sequence[str] | None = None) -> Case:
    """Any case, or one of the themes."""
    case = make_case(Random(draw(st.integers(0, 2**32))), "drawn", themes)
    objects = dict(case["objects"])
    nodes = draw(st.sets(st.sampled_from(range(len(objects["nodes"]))), min_size=1))
    objects["nodes"] = [node for i, node in enumerate(objects["nodes"]) if i in nodes]
    there = {node["metadata"]["name"] for node in objects["nodes"]}
    pods = [pod for pod in objects["pods"] if (pod["spec"].get("nodeName") or _nominated(pod)) in there]
    if pods:
        kept = draw(st.sets(st.sampled_from(range(len(pods)))))
        pods = [pod for i, pod in enumerate(pods) if i in kept]
    objects["pods"] = pods
    return {**case, "objects": objects}


def _nominated(pod: dict[str, dict[str, str]]) -> str:
    return pod["status"].get("nominatedNodeName", "")
