"""What metrics are about: the few subjects by which a comparison is summed up."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

INSTRUMENTS = "the measuring itself"
SUBJECTS: tuple[tuple[str, Sequence[str], Sequence[str]], ...] = (
    (INSTRUMENTS, ("measure.*", "probe.*"), ()),
    ("availability", ("failover.*", "*outage*", "*unavailab*"), ()),
    (
        "cost",
        ("*memory*", "*cpu*", "cost.*", "*fsync*", "*backend_commit*", "*leader_changes*", "*db_size*"),
        ("bytes",),
    ),
    ("throughput", ("*throughput*", "*_rate", "*.rate", "*-rate"), ("/s",)),
    ("latency", ("*latency*", "*duration*"), ("ns", "us", "ms", "s")),
    ("other", ("*",), ()),
)
"""Subject, patterns of the metrics' names, ends of their units; the first that fits counts."""


def subject_of(name: str, unit: str) -> str:
    """The subject of the metric ``name`` in ``unit``."""
    return next(
        subject
        for subject, names, units in SUBJECTS
        if any(fnmatchcase(name, pattern) for pattern in names)
        or any(unit == end or ("/" in end and unit.endswith(end)) for end in units)
    )
