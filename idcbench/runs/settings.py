"""What runs were made with: in a line each, and in what they differ though nobody asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .comparison import Changed
from .schema import RunDocument

NO_SETTINGS = frozenset({"options.given", "options.run_name", "options.name", "options.keep", "options.repeat"})
NO_FACTS = frozenset({"name", "ready_s", "reused", "ours", "versions", "digests", "virtual_ip", "provenance", "target"})
ABSENT = "–"
_NAMED = (("kubernetes", "Kubernetes"), ("scheduler", "scheduler"), ("profile", "profile"))


def unasked(*documents: RunDocument, asked: str = "") -> tuple[Changed, ...]:
    """All settings, versions and facts of the machine that differ but ``asked``, an option's name."""
    flat = [dict(_flat(document)) for document in documents]
    asked = asked.replace("-", "_")
    keys = [key for key in sorted({key for one in flat for key in one}) if key.split(".")[-1] != asked]
    told = ((key, [one.get(key, ABSENT) for one in flat]) for key in keys)
    return tuple(
        Changed(key=key, a=values[0], b=values[1], others=tuple(values[2:]))
        for key, values in told
        if len(set(values)) > 1
    )


def cluster_line(document: RunDocument) -> str:
    """``embedded, 3 control planes, 50 nodes, Kubernetes 1.37.2, profile default``, of what is known of it."""
    told = document.facts.get("cluster")
    cluster = told if isinstance(told, Mapping) else {}
    said = [str(cluster.get("target") or "")]
    for key, what in (("control_planes", "control plane"), ("nodes", "node")):
        if isinstance(count := cluster.get(key), int):
            said.append(f"{count} {what}{'' if count == 1 else 's'}")
    said += [f"{what} {cluster[key]}" for key, what in _NAMED if cluster.get(key)]
    return ", ".join(filter(None, said))


def load_line(document: RunDocument) -> str:
    """``facts.load`` in words: what the cluster had to carry while it was measured; empty where nothing says so."""
    told = document.facts.get("load")
    if isinstance(told, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {value}" for key, value in told.items())
    return str(told or "")


def _flat(document: RunDocument) -> Iterator[tuple[str, str]]:
    told = document.facts.get("cluster")
    cluster = {key: value for key, value in told.items() if key not in NO_FACTS} if isinstance(told, Mapping) else told
    parts = {
        "target": document.target,
        "options": document.options,
        "cluster": cluster,
        "versions": document.versions,
        "digests": document.digests,
        "machine": document.machine,
    }
    for key, value in _leaves("", parts):
        if key not in NO_SETTINGS:
            yield key, value


def _leaves(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(f"{key}.{name}" if key else name, inner)
    else:
        yield key, str(value)
