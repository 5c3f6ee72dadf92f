"""Measured values as people write them: three digits that mean something, and a unit that fits."""

from __future__ import annotations

NOTHING = "—"
_TO_MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")


def figure(value: float | None, unit: str) -> str:
    """``value`` with its unit: durations in the unit that suits their size, counts whole; a dash when there is none."""
    if value is None:
        return NOTHING
    if unit in _TO_MS:
        return duration(value * _TO_MS[unit])
    if unit == "bytes":
        return _memory(value)
    if unit in ("%", "ratio"):
        return f"{_three(value * (100 if unit == 'ratio' else 1))} %"
    if unit in ("", "1"):
        return _three(value)
    return f"{_three(value)} {unit.removesuffix('s') if value == 1 and len(unit) > 2 else unit}"


def duration(value_ms: float) -> str:
    """Milliseconds as ``2.3 µs``, ``0.42 ms``, ``1.40 s``, ``2 min 05 s``, ``1 h 02 min``; whole seconds as ``3 s``."""
    size_ms = abs(value_ms)
    if 0 < size_ms < 0.0995:
        return f"{_three(value_ms * 1000)} µs"
    if size_ms < 999.5:
        return f"{_three(value_ms)} ms"
    if size_ms < 60_000 and value_ms % 1000 == 0:
        return f"{value_ms / 1000:.0f} s"
    if size_ms < 99_950:
        return f"{value_ms / 1000:.{2 if size_ms < 9995 else 1}f} s"
    seconds = round(size_ms / 1000)
    sign = "-" if value_ms < 0 else ""
    if seconds < 3600:
        return f"{sign}{seconds // 60} min {seconds % 60:02d} s"
    return f"{sign}{seconds // 3600} h {seconds % 3600 // 60:02d} min"


def spread(low: float | None, high: float | None, unit: str) -> str:
    """``1.21 – 1.62 s``: two values, the unit once when it is the same; one value when they read alike."""
    if low is None or high is None:
        return NOTHING
    first, second = figure(low, unit), figure(high, unit)
    if first == second:
        return second
    value, _, suffix = first.rpartition(" ")
    alike = value and " " not in value and second.partition(" ")[2] == suffix
    return f"{value} – {second}" if alike else f"{first} – {second}"


def in_ms(value: float, unit: str) -> float | None:
    """``value`` in milliseconds, ``None`` when ``unit`` is no duration."""
    return value * _TO_MS[unit] if unit in _TO_MS else None


def _three(value: float) -> str:
    size = abs(value)
    if value == int(value) and size < 1e15:
        return f"{int(value):,}".replace(",", " ")
    if size >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"


def _memory(value: float) -> str:
    step = 0
    while abs(value) >= 1023.5 and step < len(_BINARY) - 1:
        value, step = value / 1024, step + 1
    return f"{_three(value)} {_BINARY[step]}"
