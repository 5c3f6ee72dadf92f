"""Which pods have a node, in the arrays and by name; and the rows of the nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..core.state import EXIST, HIGH, NEXT, NODE, POD_FLAGS, PRIORITY, STARTED, TERMINATING
from ..objects import Node, Pod
from .arrays import Arrays, Rows
from .columns import Columns

NOT_STARTED_MS = 2**61
"""Later than any time: kube-scheduler takes a pod that has not begun to have begun at the moment it looks."""


def started_ms(pod: Pod) -> int:
    """When the pod began to run, by its status."""
    text = pod.status.start_time
    return int(datetime.fromisoformat(text).timestamp() * 1000) if text else NOT_STARTED_MS


@dataclass(slots=True)
class Seat:
    """A pod's row, and what was true when it was written."""

    row: int
    pod: Pod
    node: str
    assumed: bool


class Seats:
    """Rows of pods."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._rows = Rows()
        self.by_uid: dict[str, Seat] = {}
        self.by_row: dict[int, Seat] = {}

    def row_for(self, pod: Pod) -> int:
        """A free row with the pod's rank and flags written; it counts nowhere yet."""
        row = self._rows.take()
        self._arrays.ensure(pods=row + 1)
        state = self._arrays.state
        state.pod[row, NODE] = -1
        state.pod[row, POD_FLAGS] = TERMINATING if pod.metadata.deletion_timestamp else 0
        state.pod_rank[row, PRIORITY], state.pod_rank[row, STARTED] = pod.priority, started_ms(pod)
        return row

    def update(self, seat: Seat, pod: Pod) -> None:
        """The pod on this seat is the same to all others, and is bound."""
        if seat.pod.status.start_time != pod.status.start_time:
            self._arrays.state.pod_rank[seat.row, STARTED] = started_ms(pod)
        seat.pod, seat.assumed = pod, False

    def keep(self, row: int, pod: Pod, node: str, *, assumed: bool) -> None:
        seat = Seat(row, pod, node, assumed)
        self.by_uid[pod.metadata.uid] = self.by_row[row] = seat

    def on(self, node: int) -> Iterator[Seat]:
        """The pods on the node of that row."""
        row = int(self._arrays.state.node_head[node])
        while row >= 0:
            yield self.by_row[row]
            row = int(self._arrays.state.pod[row, NEXT])

    def free(self, row: int) -> None:
        """The row was never seated, or is not any more."""
        self._rows.give_back(row)
        seat = self.by_row.pop(row, None)
        if seat is not None:
            self.by_uid.pop(seat.pod.metadata.uid, None)


class NodeRows:
    """Rows of nodes. A node that is only known from a pod's ``spec.nodeName`` has a row too, and takes no pods."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._rows = Rows()
        self.row: dict[str, int] = {}
        self.names: list[str] = []
        self.objects: dict[int, Node] = {}
        self.labels: dict[int, Mapping[str, str]] = {}

    def row_of(self, name: str) -> int:
        row = self.row.get(name)
        if row is None:
            row = self.row[name] = self._rows.take()
            self._arrays.ensure(nodes=row + 1)
            while len(self.names) <= row:
                self.names.append("")
            self.names[row] = name
            state = self._arrays.state
            state.cursor[HIGH] = self._rows.end
            state.node_on[row], state.node_head[row] = 0, -1
            state.alloc[row] = state.used[row] = 0
            state.nonzero[row] = 0
        return row

    def put(self, row: int, node: Node, columns: Columns) -> None:
        self._arrays.state.node_on[row] = 1
        self.objects[row], self.labels[row] = node, node.metadata.labels or {}
        columns.fill(row, node.metadata.name, self.labels[row])
        self._arrays.state.cursor[EXIST] = len(self.objects)

    def drop(self, row: int, columns: Columns) -> None:
        """The object is gone; pods may still be there."""
        self._arrays.state.node_on[row] = 0
        self._arrays.state.alloc[row] = 0
        self.objects.pop(row, None)
        self.labels.pop(row, None)
        columns.clear(row)
        self._arrays.state.cursor[EXIST] = len(self.objects)

    def release(self, row: int) -> None:
        """Forget a row that is no node and has no pods."""
        state = self._arrays.state
        if not state.node_on[row] and state.node_head[row] < 0:
            self.row.pop(self.names[row], None)
            self.names[row] = ""
            self._rows.give_back(row)
