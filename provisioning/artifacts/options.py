"""Where artifacts may come from."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ...errors import UsageError


def default_cache() -> Path:
    """``$XDG_CACHE_HOME/idcbench``, or ``~/.cache/idcbench`` (a relative XDG_CACHE_HOME is ignored, as XDG says)."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".cache") / "idcbench"


def default_mirror() -> str | None:
    """The mirror that the environment names (``IDCBENCH_MIRROR``)."""
    return os.environ.get("IDCBENCH_MIRROR") or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server is waited for. A transfer below ``low_bytes_per_s`` for ``low_for_s`` is given up.

    ``reach_s`` bounds name resolution, connecting, TLS and the first small answer together.
    """

    reach_s: float = 8.0
    stall_s: float = 15.0
    low_bytes_per_s: float = 64 * 1024
    low_for_s: float = 30.0
    retries: int = 4
    pause_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Where artifacts may come from, in the order of use.

    ``directory`` holds the user's own binaries; ``cache`` is where fetched and built ones are kept; ``mirror`` is the
    base URL of a copy of the official releases (docs/artifacts.md) and replaces them; ``download`` and ``build`` allow
    or forbid the last two ways.
    """

    directory: Path | None = None
    mirror: str | None = field(default_factory=default_mirror)
    cache: Path = field(default_factory=default_cache)
    download: bool = True
    build: bool = True
    patience: Patience = Patience()

    def check(self) -> None:
        """Raise :class:`~idcbench.errors.UsageError` for a directory or a mirror that cannot be meant."""
        if self.directory is not None and not self.directory.is_dir():
            raise UsageError(f"--artifacts {self.directory}: there is no such directory; name one that holds binaries")
        if self.mirror is not None:
            check_mirror(self.mirror)


def check_mirror(mirror: str) -> None:
    """Raise :class:`~idcbench.errors.UsageError` unless ``mirror`` is an http or https URL with a host."""
    try:
        url = urlsplit(mirror)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and (url.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        shown = re.sub(r"//[^/]*@", "//", mirror)
        raise UsageError(f"mirror {shown!r} is not an http or https URL; write it as https://mirror.example/path")
