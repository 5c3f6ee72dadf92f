"""Events as bytes, field for field as kube-scheduler 1.37 writes them (events.k8s.io/v1)."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Literal

from msgspec.json import encode

from ..objects import Pod
from .leaserecord import micro_time

NOTE_MOST = 1024
"""Longer notes are refused by the API server (``NoteLengthLimit``)."""
NAME_MOST = 253
Reason = Literal["Scheduled", "FailedScheduling", "Preempted"]
_ACTIONS: dict[Reason, tuple[bytes, bytes]] = {
    "Scheduled": (b"Binding", b"Normal"),
    "FailedScheduling": (b"Scheduling", b"Warning"),
    "Preempted": (b"Preempting", b"Normal"),
}
HOSTNAME = socket.gethostname()


@dataclass(frozen=True, slots=True)
class EventBody:
    """``key`` is equal for events that are the same again: those become a series of the first."""

    reason: Reason
    namespace: str
    name: str
    key: tuple[str, ...]
    head: bytes
    """The JSON object without its closing brace."""

    @property
    def path(self) -> str:
        return f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events"

    def body(self, series: bytes = b"") -> bytes:
        """The whole object, with ``series`` if it is one."""
        return b'%b,"series":%b}' % (self.head, series) if series else self.head + b"}"


def event(reason: Reason, pod: Pod, note: str, *, reporter: str, related: Pod | None = None) -> EventBody:
    """An event about ``pod`` that ``reporter`` (the scheduler's name) saw just now."""
    meta = pod.metadata
    name = f"{meta.name[: NAME_MOST - 17]}.{time.time_ns():x}"
    action, kind = _ACTIONS[reason]
    head = (
        b'{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"%b","namespace":"%b"},"eventTime":"%b",'
        b'"reportingController":"%b","reportingInstance":"%b-%b","action":"%b","reason":"%b","regarding":%b,%b'
        b'"note":%b,"type":"%b"'
    ) % (
        *(name.encode(), meta.namespace.encode(), micro_time().encode()),
        *(reporter.encode(), reporter.encode(), HOSTNAME.encode(), action, reason.encode()),
        *(reference(pod), b'"related":%b,' % reference(related) if related is not None else b""),
        *(encode(shortened(note)), kind),
    )
    key = (reason, reporter, meta.uid, meta.resource_version, related.metadata.uid if related is not None else "")
    return EventBody(reason, meta.namespace, name, key, head)


def series(count: int) -> bytes:
    """The series of an event that was seen ``count`` times, the last time just now."""
    return b'{"count":%d,"lastObservedTime":"%b"}' % (count, micro_time().encode())


def reference(pod: Pod) -> bytes:
    """An ObjectReference. Names, namespaces, uids and versions hold no character that JSON would escape."""
    meta = pod.metadata
    return (
        b'{"kind":"Pod","namespace":"%b","name":"%b","uid":"%b","apiVersion":"v1","resourceVersion":"%b"}'
        % (meta.namespace.encode(), meta.name.encode(), meta.uid.encode(), meta.resource_version.encode())
    )  # fmt: skip


def shortened(note: str) -> str:
    """At most as long, in bytes, as the API server takes."""
    raw = note.encode()
    return note if len(raw) <= NOTE_MOST else raw[: NOTE_MOST - 4].decode(errors="ignore") + " ..."
