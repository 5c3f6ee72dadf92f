"""An open load as suites use it: a plan goes in, what became of every request comes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import IdcError
from ..kube.access import Access
from .ceiling import LEAST_PER_S, known_ceiling, measure_ceiling
from .load_plan import LoadPlan, LoadResult
from .load_sending import ReadyLoad, opened_load, send_load

__all__ = ["LoadPlan", "LoadResult", "PlanError", "ReadyLoad", "loading", "run_load"]


class PlanError(IdcError):
    """The plan of a load is more than its processes can keep."""


def run_load(access: Access, plan: LoadPlan) -> LoadResult:
    """Send the plan, each process its share in turn; returns when every request has ended.

    Raises :class:`PlanError` for a plan above what its processes can do on this machine, before anything is sent, and
    :class:`~.instrument.InstrumentError` when a connection cannot be opened or a process dies.
    """
    check_rate(plan)
    return send_load(access, plan)


@contextmanager
def loading(access: Access, plan: LoadPlan) -> Iterator[ReadyLoad]:
    """The plan's processes, connected, so that sending it is all that is left; raises as :func:`run_load`."""
    check_rate(plan)
    with opened_load(access, plan) as ready:
        yield ready


def check_rate(plan: LoadPlan) -> None:
    """Raises :class:`PlanError`, after having measured once more, as the machine may have been busy the last time.

    What any machine can do needs no ceiling; otherwise the first plan has it measured, which takes about 3 s.
    """
    if plan.peak_per_s <= LEAST_PER_S * plan.processes:
        return
    known = known_ceiling(plan.http)
    if known is not None and plan.peak_per_s <= known.rate_per_s * plan.processes:
        return
    ceiling = measure_ceiling(plan.http)
    if plan.peak_per_s > ceiling.rate_per_s * plan.processes:
        raise PlanError(
            f"the plan starts {plan.peak_per_s:.0f} requests in a second from {plan.processes} "
            f"process{'es' if plan.processes > 1 else ''}; on this machine one keeps its times up to "
            f"{ceiling.rate_per_s:.0f}/s over HTTP/{plan.http} (measured {ceiling.measured}): use more processes, "
            "a lower rate, or a machine with less to do"
        )
