"""The timeline of one fault as inline SVG: latencies over time, outages, failed requests, acts, the virtual IP.

Horizontal places are shares of the width and vertical ones are pixels, so that a chart fills its place on any screen
while its text keeps its size. Colours come from the page by class.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .faults import Repetition
from .figures import duration
from .outages import FAILED, OK, UNKNOWN, Floats, Span, Stream
from .svg import Linear, Logarithmic, element, number, percent

_COLUMNS = 1000
_PLOT, _ROW, _ACT, _HEAD, _OWNERS, _AXIS, _GAP = 88, 13, 15, 17, 19, 20, 12
_LEAST_S, _LEAD, _LONGEST_S = 4.0, 0.16, 60.0
"""At least so much time after the fault is shown; so much of the chart lies before it; a member that is back later
than so many seconds is named, not shown."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all parts of one timeline share."""

    x: Linear
    y: Logarithmic
    height: float

    def at(self, seconds: float) -> str:
        return percent(self.x(seconds))


def outage_timeline(repetition: Repetition, *, name: str) -> str:
    """The chart of one repetition; ``name`` is unique in the page. Its description is :func:`timeline_in_words`.

    Successful requests are points, thinned to what pixels can show; every request that failed or is unknown has its
    mark. The window runs from shortly before the fault until everything it caused is over.
    """
    kinds = [kind for kind in ("write", "read") if any(stream.kind == kind for stream in repetition.streams)]
    low_s, high_s = _window(repetition)
    acts = [act for act in repetition.acts if low_s <= act.at_s <= high_s]
    lane = _HEAD + _PLOT + 2 * _ROW + _GAP
    top = _ACT * len(acts) + 4
    owners = _OWNERS if repetition.owners else 0
    height = top + lane * len(kinds) + owners + _AXIS
    frame = _Frame(Linear(low_s, high_s), _latencies(repetition), height)
    parts = [
        element("title", text=f"Repetition {repetition.number}", id=f"{name}-t"),
        element("desc", text=timeline_in_words(repetition), id=f"{name}-d"),
        *_time_grid(frame, top, height - _AXIS),
    ]
    for index, kind in enumerate(kinds):
        streams = [stream for stream in repetition.streams if stream.kind == kind]
        parts.append(_lane(frame, top + lane * index, kind, streams))
    if owners:
        parts.append(_address_owners(frame, repetition.owners, height - _AXIS - _OWNERS))
    for row, act in enumerate(acts):
        parts.append(_act(frame, act.at_s, act.label, act.kind, row))
    return element(
        "svg", *parts, class_="timeline", width="100%", height=height, role="img",
        aria_labelledby=f"{name}-t {name}-d",
    )  # fmt: skip


def timeline_in_words(repetition: Repetition) -> str:
    """What the chart shows, for those who cannot see it."""
    acts = "; ".join(
        f"{act.label} at {act.at_s:+.1f} s" if act.kind == "fault" else act.label for act in repetition.acts
    )
    said = [
        f"{stream.kind}s on {stream.connection} connections: "
        f"{'out for ' + _length(stream.outage) if stream.outage else 'no outage'}, "
        f"{stream.failed} failed, {stream.unknown} unknown of {stream.total}"
        for stream in repetition.streams
    ]
    return ". ".join(filter(None, [acts, *said])) + "."


def _window(repetition: Repetition) -> tuple[float, float]:
    """From when to when, in s: all failed requests, the outages, and the recovery unless it is far away."""
    begin = min(float(stream.planned_s[0]) for stream in repetition.streams)
    end = max(float(stream.planned_s[-1]) for stream in repetition.streams)
    bad = [stream.planned_s[stream.outcome != OK] for stream in repetition.streams]
    moments = [_LEAST_S, *(float(part.max()) for part in bad if len(part))]
    moments += [stream.outage.end_s for stream in repetition.streams if stream.outage]
    moments += [act.at_s for act in repetition.acts if act.at_s <= _LONGEST_S]
    early = min([0.0, *(float(part.min()) for part in bad if len(part))])
    high = min(end, max(moments) * 1.06 + 0.5)
    return max(begin, early - _LEAD * (high - early)), max(high, begin + 0.1)


def _latencies(repetition: Repetition) -> Logarithmic:
    answered = np.concatenate([stream.latency_ms[stream.outcome == OK] for stream in repetition.streams])
    answered = answered[answered > 0] if (answered > 0).any() else np.array([1.0])
    low, high = float(np.quantile(answered, 0.001)), float(answered.max())
    return Logarithmic(10.0 ** np.floor(np.log10(low)), 10.0 ** np.ceil(np.log10(max(high, low * 10) * 1.001)))


def _time_grid(frame: _Frame, top: float, bottom: float) -> list[str]:
    parts = []
    for index, tick in enumerate(frame.x.ticks(10)):
        place = frame.at(tick)
        minor = "minor" if index % 2 else None
        parts.append(element("line", x1=place, x2=place, y1=top, y2=bottom, class_="grid"))
        if 0.015 < frame.x(tick) < 0.975:
            label = f"{tick:g} s" if tick <= 0 else f"+{tick:g} s"
            parts.append(
                element(
                    "text", text=label, x=place, y=bottom + 14, text_anchor="middle", class_=_classes("tick", minor)
                )
            )
    return parts


def _lane(frame: _Frame, top: float, kind: str, streams: list[Stream]) -> str:
    """One kind of request: its latencies, and below them a row for each sort of connection."""
    plot = top + _HEAD
    parts = [element("text", text=f"{kind.capitalize()}s", x=0, y=top + 12, class_="lane")]
    decades = [(decade, plot + _PLOT * (1 - frame.y(decade))) for decade in frame.y.decades()]
    parts += [element("line", x1="0%", x2="100%", y1=y, y2=y, class_="grid") for _, y in decades]
    for stream in streams:
        if stream.outage:
            parts.append(_band(frame, stream.outage, plot, _PLOT, "tint"))
    for stream in streams:
        path = _points(frame, stream)
        parts.append(_stretched(path, plot, _PLOT, f"points {stream.connection}"))
    named = [(duration(decade), y) for decade, y in decades if decade < frame.y.high]
    parts += [element("text", text=text, x=1, y=y - 3, class_="tick") for text, y in named]
    for index, connection in enumerate(("new", "reused")):
        for stream in streams:
            if stream.connection == connection:
                parts.append(_row(frame, plot + _PLOT + 2 + index * _ROW, stream))
    return element("g", *parts)


def _row(frame: _Frame, top: float, stream: Stream) -> str:
    """A sort of connection: the outage as a bar with its length, a mark for every request that failed."""
    height = _ROW - 2
    parts = [element("text", text=stream.connection, x=1, y=top + 9, class_="tick")]
    if stream.outage:
        parts.append(_band(frame, stream.outage, top, height, f"outage {stream.connection}"))
        parts.append(_beside(frame, stream.outage, top + 9.5))
    for outcome, said, begin in ((FAILED, "failed", 0.0), (UNKNOWN, "unknown", height / 2)):
        if marks := _marks(frame, stream.planned_s[stream.outcome == outcome], begin, height):
            parts.append(_stretched(marks, top, height, said))
    return element("g", *parts)


def _band(frame: _Frame, span: Span, top: float, height: float, class_: str) -> str:
    start, end = max(0.0, frame.x(span.start_s)), min(1.0, frame.x(span.end_s))
    said = element("title", text=f"no success for {_length(span)} more than the interval between requests")
    return element("rect", said, x=percent(start), y=top, width=percent(end - start), height=height, class_=class_)


def _beside(frame: _Frame, span: Span, y: float) -> str:
    """The outage's length, right of its bar, or left of it where the chart ends."""
    right = frame.x(span.end_s) < 0.85
    place = frame.at(span.end_s if right else span.start_s)
    return element(
        "text", text=_length(span), x=place, y=y, dx=5 if right else -5,
        text_anchor=None if right else "end", class_="length",
    )  # fmt: skip


def _length(span: Span) -> str:
    return duration(span.outage_ms) if span.ended else f"over {duration(span.outage_ms)}, without an end"


def _points(frame: _Frame, stream: Stream) -> str:
    """Successful requests as dots of zero length, one for each pixel that has any."""
    shown = (stream.outcome == OK) & (stream.planned_s >= frame.x.low) & (stream.planned_s <= frame.x.high)
    column = np.rint(frame.x.all(stream.planned_s[shown]) * _COLUMNS).astype(int)
    row = np.rint(2 + (_PLOT - 4) * (1 - frame.y.all(stream.latency_ms[shown]))).astype(int)
    pixels = np.unique(np.stack([column, row], axis=1), axis=0) if len(column) else np.empty((0, 2), int)
    moves = np.diff(pixels, axis=0, prepend=np.zeros((1, 2), int))
    return "".join(f"m{x} {y}h0" for x, y in moves)


def _marks(frame: _Frame, planned_s: Floats, begin: float, end: float) -> str:
    """A stroke for each request, to a tenth of a column; requests at the same place share theirs."""
    places = np.unique(np.round(frame.x.all(planned_s) * _COLUMNS, 1))
    return "".join(f"M{number(float(x))} {number(begin)}V{number(end)}" for x in places)


def _stretched(path: str, top: float, height: float, class_: str) -> str:
    """A path over ``_COLUMNS`` columns, as wide as the chart; its strokes keep their width."""
    return element(
        "svg", element("path", d=path, class_=class_), x=0, y=top, width="100%", height=height,
        viewBox=f"0 0 {_COLUMNS} {number(height)}", preserveAspectRatio="none",
    )  # fmt: skip


def _address_owners(frame: _Frame, owners: tuple[tuple[float, str], ...], top: float) -> str:
    """Which host had the virtual IP, from when to when."""
    parts = []
    for index, ((since_s, host), (until_s, _)) in enumerate(pairwise([*owners, (frame.x.high, "")])):
        start, end = max(0.0, frame.x(since_s)), min(1.0, frame.x(until_s))
        if end <= start:
            continue
        said = element("title", text=f"{host or 'no host'} has the virtual IP")
        shade = _classes("owner" if host else "nobody", "odd" if index % 2 else None)
        width, height = percent(end - start), _OWNERS - 5
        parts.append(element("rect", said, x=percent(start), y=top, width=width, height=height, class_=shade))
        if end - start > 0.08:
            label = f"virtual IP on {host}" if end - start > 0.3 else host
            parts.append(element("text", text=label, x=percent(start), dx=5, y=top + 10.5, class_="tick strong"))
    return element("g", *parts)


def _act(frame: _Frame, at_s: float, label: str, kind: str, row: int) -> str:
    """A line through the whole chart, with what was done or seen; on a narrow page only its beginning has room."""
    place, left = frame.at(at_s), frame.x(at_s) > 0.55
    y = _ACT * row + 11
    line = element("line", x1=place, x2=place, y1=y - 9, y2=frame.height - _AXIS, class_=f"act {kind}")
    text = element(
        "text", element("title", text=label), text=label.partition(",")[0], x=place, y=y, dx=-5 if left else 5,
        text_anchor="end" if left else None, class_=f"act {kind}",
    )  # fmt: skip
    return element("g", line, text)


def _classes(*names: str | None) -> str:
    return " ".join(name for name in names if name)
