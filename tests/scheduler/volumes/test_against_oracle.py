"""Random clusters with storage, told in any order: the index and the oracle agree on every node."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from idcbench.scheduler.objects import Pod
from idcbench.scheduler.volumes import Refused, VolumeIndex

from .conftest import TYPES

CASES = 150


@pytest.fixture(autouse=True)
def _oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))


@pytest.mark.parametrize("theme", ["restrictions", "limits", "binding", "zone"])
def test_every_node_is_judged_as_the_oracle_does(theme: str) -> None:
    from cases import make_case
    from oracle.cluster import Cluster
    from oracle.profile import Profile
    from oracle.scene import Scene

    for seed in range(CASES):
        rng = Random(f"{theme} {seed}")
        case = make_case(rng, f"{theme} {seed}", {theme, rng.choice(["limits", "binding", "zone"])})
        cluster, pod = Cluster.of(case["objects"]), msgspec.convert(case["pod"], Pod)
        found = judged(told(rng, cluster), pod, cluster)
        assert found == expected(Scene(cluster, Profile(), pod)), case["id"]


def told(rng: Random, cluster: Any) -> VolumeIndex:
    """An index that heard of some objects late, of others twice, and that judged in between."""
    index = VolumeIndex()
    news = [(kind, obj) for kind in TYPES for obj in getattr(cluster, kind)]
    rng.shuffle(news)
    for at, (kind, obj) in enumerate(news):
        if at == len(news) // 2:
            for pod in (each for node in cluster.nodes for each in cluster.pods_on(node.metadata.name)):
                index.add_pod(pod, pod.spec.node_name)
                index.evaluate(pod, cluster.nodes)
        index.set(kind, obj)
    for kind, obj in rng.sample(news, min(3, len(news))):
        index.remove(kind, obj)
        index.evaluate(cluster.pods[0] if cluster.pods else Pod(), cluster.nodes)
        index.set(kind, obj)
    return index


Answer = dict[str, tuple[str, frozenset[str], bool] | int]
"""Per node the plugin, its reasons and whether preemption may help; or its score."""


def judged(index: VolumeIndex, pod: Pod, cluster: Any) -> Answer:
    verdict = index.evaluate(pod, cluster.nodes)
    names = [node.metadata.name for node in cluster.nodes]
    if verdict.refused:
        return dict.fromkeys(names, said(verdict.refused))
    scores = verdict.scores or [0] * len(names)
    each = zip(names, verdict.nodes, scores, strict=True)
    return {name: said(refused) if refused else score for name, refused, score in each}


def said(refused: Refused) -> tuple[str, frozenset[str], bool]:
    return refused.plugin, nameless(refused.reasons), not refused.unresolvable


def nameless(reasons: Iterable[str]) -> frozenset[str]:
    """Of several drivers that are missing kube-scheduler names any one, and the oracle all."""
    return frozenset(re.sub(r"^\S+ CSI driver is", "some CSI driver is", reason) for reason in reasons)


def expected(scene: Any) -> Answer:
    from oracle.limits import LIMITS
    from oracle.provisioning import STORAGE_SCORE
    from oracle.restrictions import RESTRICTIONS
    from oracle.volumes import BINDING, VOLUME_ZONE

    plugins = (RESTRICTIONS, LIMITS, BINDING, VOLUME_ZONE)
    bar = next((no for plugin in plugins if (no := plugin.bars(scene))), None)
    active = [plugin for plugin in plugins if not plugin.skips(scene)]
    found: Answer = {}
    for node in scene.cluster.nodes:
        no = bar or next((no for plugin in active if (no := plugin.refuses(scene, node))), None)
        score = 0 if no else (STORAGE_SCORE.scores(scene, [node]) or {}).get(node.metadata.name, 0)
        found[node.metadata.name] = (no.plugin, nameless(no.reasons), no.resolvable) if no else score
    return found
