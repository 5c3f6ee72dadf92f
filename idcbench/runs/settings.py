"""In what two runs differ though nobody asked for it: settings, versions, machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .comparison import Changed
from .schema import RunDocument

NO_SETTINGS = frozenset({"options.given", "options.run_name", "options.name", "options.keep", "options.repeat"})
NO_FACTS = frozenset({"name", "ready_s", "reused", "ours", "versions", "digests", "virtual_ip", "provenance", "target"})
ABSENT = "–"


def unasked(a: RunDocument, b: RunDocument, *, asked: str = "") -> tuple[Changed, ...]:
    """All of them but ``asked``, an option's name."""
    left, right = dict(_flat(a)), dict(_flat(b))
    asked = asked.replace("-", "_")
    keys = [key for key in sorted(left | right) if key.split(".")[-1] != asked]
    told = ((key, left.get(key, ABSENT), right.get(key, ABSENT)) for key in keys)
    return tuple(Changed(key=key, a=one, b=two) for key, one, two in told if one != two)


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
