"""An explanation for a terminal: what each filter took away, and how the best nodes compare."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from ..decisions import Explanation
from .record import Explained, Past

NOW = "recomputed on today's state"


def render(explained: Explained) -> str:
    """All that is known of the pod, newest first."""
    return "\n".join(_lines(explained))


def _lines(explained: Explained) -> Iterator[str]:
    where = f"is on node {explained.bound_to}" if explained.bound_to else "has no node"
    yield f"pod {explained.pod} {where}"
    yield f"told by {explained.scheduler}{'' if explained.leader else ', which is not the leader'}"
    if not explained.past and explained.now is None:
        yield "\nno decision about it is kept (a scheduler keeps its last 10,000, and forgets them when it ends)"
    for past in explained.past:
        yield ""
        yield from _past(past)
    if explained.bound_to and explained.now is None:
        yield "\nhow the nodes compare today: the same command with --today"
    if explained.now is not None:
        yield f"\n{NOW}{', without the pod itself' if explained.bound_to else ''}:"
        yield from _explanation(explained.now)


def _past(past: Past) -> Iterator[str]:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(past.at_s))
    yield f"{at} UTC, attempt {past.attempt}: {_outcome(past)}"
    if past.message:
        yield f"  {past.message}"
    if past.preempts_on:
        violated = f", {past.violations} disruption budgets violated" if past.violations else ""
        yield f"  takes away {', '.join(past.victims)} on {past.preempts_on}{violated}"
    if past.explanation is not None:
        yield "  as it was at that moment:"
        yield from _explanation(past.explanation)


def _outcome(past: Past) -> str:
    if past.node is None:
        return f"no node; {past.evaluated} were looked at"
    return f"node {past.node}, {past.outcome}; {past.evaluated} were looked at"


def _explanation(explanation: Explanation) -> Iterator[str]:
    if explanation.declined:
        yield f"  declined: {explanation.declined}"
        return
    if explanation.barred:
        yield f"  barred from every node: {explanation.barred}"
    removed = sum(refusal.nodes for refusal in explanation.refusals)
    yield f"  {explanation.nodes} nodes, {explanation.nodes - removed} can take it"
    if explanation.refusals:
        rows = [(one.plugin, one.nodes, one.reason, one.nearest) for one in explanation.refusals]
        yield _table(rows, ["filter", "nodes", "removed because", "nearest miss"])
    if explanation.best:
        yield _scores(explanation)


def _scores(explanation: Explanation) -> str:
    """The best nodes; each plugin as its normalised score × weight, raw value in brackets where it differs."""
    plugins = [score.plugin for score in explanation.best[0].scores]
    rows = []
    for node in explanation.best:
        by_plugin = {score.plugin: score for score in node.scores}
        cells = [
            f"{score.weighted} ({score.raw:g}→{score.normalized})" if score.raw != score.normalized
            else f"{score.weighted} ({score.normalized})"
            for score in (by_plugin[plugin] for plugin in plugins if plugin in by_plugin)
        ]  # fmt: skip
        mark = "*" if node.node == explanation.chosen else ""
        rows.append((f"{node.node}{mark}", node.total, *cells))
    return _table(rows, ["best nodes", "total", *plugins])


def _table(rows: Sequence[tuple[object, ...]], headers: list[str]) -> str:
    table = tabulate(rows, headers=headers, disable_numparse=True)
    return "\n".join(f"    {line}" for line in table.splitlines())
