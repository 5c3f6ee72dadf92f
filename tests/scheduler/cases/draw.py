"""Small choices that all parts of a case share."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")

ZONE, REGION, HOST = "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "kubernetes.io/hostname"
NAMESPACES = ("default", "shop", "lab")
NODE_LABELS = {
    ZONE: ("a", "b", "c"),
    REGION: ("north", "south"),
    "disk": ("ssd", "hdd"),
    "cores": ("4", "8", "16", "02", "many", "9999999999999999999"),
    "rack": ("", "r1", "r2"),
}
POD_LABELS = {"app": ("web", "db", "job"), "tier": ("front", "back"), "track": ("new", "old")}
TOPOLOGIES = (ZONE, ZONE, HOST, HOST, "rack", REGION)


def chance(rng: Random, probability: float) -> bool:
    return rng.random() < probability


def some(rng: Random, items: Sequence[T], *, least: int = 0, most: int | None = None) -> list[T]:
    """Some of the items, in their order."""
    count = rng.randint(least, min(len(items), most if most is not None else len(items)))
    chosen = set(rng.sample(range(len(items)), count))
    return [item for index, item in enumerate(items) if index in chosen]


def labels(rng: Random, vocabulary: dict[str, tuple[str, ...]], *, share: float) -> dict[str, str]:
    return {key: rng.choice(values) for key, values in vocabulary.items() if chance(rng, share)}


def requirement(rng: Random, vocabulary: dict[str, tuple[str, ...]], *, numbers: bool = False) -> Json:
    """One line of a selector, of every operator."""
    key = rng.choice([*vocabulary, "absent"])
    values = vocabulary.get(key, ("some",))
    operators = ["In", "In", "NotIn", "Exists", "DoesNotExist"]
    if numbers and key == "cores":
        return {"key": key, "operator": rng.choice(["Gt", "Lt"]), "values": [rng.choice(["3", "4", "10"])]}
    operator = rng.choice(operators)
    if operator in ("Exists", "DoesNotExist"):
        return {"key": key, "operator": operator}
    return {"key": key, "operator": operator, "values": some(rng, values, least=1, most=2)}


def label_selector(rng: Random, vocabulary: dict[str, tuple[str, ...]] = POD_LABELS) -> Json | None:
    """None at all, an empty one, or one that matches some."""
    kind = rng.random()
    if kind < 0.04:
        return None
    if kind < 0.12:
        return {}
    selector: Json = {}
    if kind < 0.75:
        key = rng.choice(list(vocabulary))
        selector["matchLabels"] = {key: rng.choice(vocabulary[key])}
    if kind > 0.6:
        selector["matchExpressions"] = [requirement(rng, vocabulary)]
    return selector


def present(**fields: Any) -> Json:
    """Without what is None."""
    return {name: value for name, value in fields.items() if value is not None}
