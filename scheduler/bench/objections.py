"""Why figures must not be trusted: a busy machine, or a benchmark that takes part itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from idcbench.measure.bounding import OTHERS

from .outcome import Measured

OTHERS_LIMIT = 0.10
"""Of the whole machine: what everything else may keep busy in a round."""
DRIVER_LIMIT = 0.15
"""Of the whole machine, as for the probes (`idcbench.measure.overhead`)."""
LAG_LIMIT_MS = 10.0
"""A client that begins 1 % of its creations later than this measures itself."""


def objections(measured: Measured) -> tuple[str, ...]:
    """Each with the figure that was found and the most that is right; empty when all is well."""
    return tuple(_found(measured))


def _found(measured: Measured) -> Iterator[str]:
    limits = ((OTHERS, OTHERS_LIMIT, "other programs"), ("driver", DRIVER_LIMIT, "the benchmark itself"))
    for name, limit, whose in limits:
        shares = [one.cores.get(name, 0.0) / measured.cores for one in measured.rounds]
        over = [share for share in shares if share > limit]
        if over:
            yield (
                f"{whose} kept up to {max(over):.0%} of the machine busy in {len(over)} of {len(shares)} rounds; at "
                f"most {limit:.0%} is right: measure on a quiet machine"
            )
    late = [one.lag_p99_ms for one in measured.arrivals if one.lag_p99_ms > LAG_LIMIT_MS]
    if late:
        yield (
            f"the client began 1 % of its creations up to {max(late):.0f} ms late in {len(late)} of "
            f"{len(measured.arrivals)} runs of arrivals; at most {LAG_LIMIT_MS:.0f} ms is right"
        )
