"""What the feed tells goes to the engine, and to everybody who waits for it."""

from __future__ import annotations

from typing import Any

from idcbench.kube.known import EventType

from ..decisions import Engine
from ..objects import Node
from .binding import Binder
from .changes import node_changes, other_change
from .claims import Claims
from .ledger import Ledger
from .queue import SchedulingQueue
from .resources import IN_TREE_GROUPS, Source


class Hearing:
    """``nodes`` are those that are there, by name."""

    def __init__(
        self, engine: Engine, *, ledger: Ledger, queue: SchedulingQueue, claims: Claims, binder: Binder
    ) -> None:  # fmt: skip
        self.nodes: dict[str, Node] = {}
        self._engine = engine
        self._ledger = ledger
        self._queue = queue
        self._claims = claims
        self._binder = binder

    def hear(self, source: Source, told: EventType, obj: Any) -> None:
        """A change from the feed goes to the engine, and to who waits for it."""
        match source.resource:
            case "pods":
                self._ledger.hear(told, obj)
                return
            case "nodes":
                self._node(told, obj)
                return
            case "persistentvolumeclaims":
                self._claims.set_claim(obj, gone=told == "DELETED")
            case "persistentvolumes":
                self._claims.set_volume(obj, gone=told == "DELETED")
            case "podgroups":
                self._group(source, told, obj)
        if told == "DELETED":
            self._engine.remove(source.resource, obj)
        else:
            self._engine.set(source.resource, obj)
        if (change := other_change(source.resource, told, obj)) is not None:
            self._queue.changed(change)

    def _node(self, told: EventType, node: Any) -> None:
        name = node.metadata.name
        before = self.nodes.get(name)
        if told == "DELETED":
            self.nodes.pop(name, None)
            self._engine.remove("nodes", node)
            self._binder.node_gone(name)
        else:
            self.nodes[name] = node
            self._engine.set("nodes", node)
        for change in node_changes(told, node, before):
            self._queue.changed(change)

    def _group(self, source: Source, told: EventType, group: Any) -> None:
        kind = "in-tree" if source.path == IN_TREE_GROUPS else "plugin"
        if told == "DELETED":
            self._queue.gangs.remove_group(kind, group)
        else:
            self._queue.gangs.set_group(kind, group)
        change = other_change("podgroups", told, group)
        self._queue.groups_changed(change.label if change else "")
