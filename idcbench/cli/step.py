"""A step that is being waited for, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is being waited for, and how far it is."""

    what: str
    since_s: float
    done: float = 0
    total: float | None = None
    unit: str = ""

    def line(self, now_s: float) -> str:
        """``fetching etcd: 12 of 27 MB, since 20 s, about 25 s more``."""
        spent_s = now_s - self.since_s
        said = [f"since {duration(spent_s)}"]
        if self.total is not None:
            said.insert(0, amount(self.done, self.total, self.unit))
            if 0 < self.done < self.total and spent_s >= 3.0 and self.unit not in ("test", "tests"):
                said.append(f"about {duration(spent_s * (self.total - self.done) / self.done)} more")
        elif self.done:
            said.insert(0, f"{self.done:g} {self.unit}".strip())
        return f"{self.what}: {', '.join(said)}"


def duration(seconds: float) -> str:
    """``8 s``, ``2 min 5 s``, ``1 h 12 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def amount(done: float, total: float, unit: str) -> str:
    """``12 of 27 MB`` for bytes (``B``), the plain numbers otherwise."""
    if unit in ("B", "bytes"):
        return f"{done / 1e6:.0f} of {total / 1e6:.0f} MB"
    return f"{done:g} of {total:g} {unit}".strip()
