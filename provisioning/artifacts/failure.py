"""Why one way of getting a part did not work, and how all of them together are told."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...errors import ArtifactError

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class WayFailedError(Exception):
    """This way is closed; the next one is tried. ``remedy`` is what the user could type to open it."""

    def __init__(self, reason: str, *, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class BundleError(ArtifactError):
    """A bundle is not what it should be, or not for this use; one line with the remedy."""


def nothing_worked(title: str, tried: Sequence[tuple[str, WayFailedError]]) -> ArtifactError:
    """One error that names each way that was tried, why it failed, and what to type."""
    lines = [f"{title} could not be provided. Tried, in this order:"]
    for way, failure in tried:
        lines.append(f"  - {way}: {failure.reason}")
        if failure.remedy:
            lines.append(f"      {failure.remedy}")
    return ArtifactError("\n".join(lines))


def no_space(folder: Path, *, what: str, remedy: str = "") -> ArtifactError:
    """The error for a full file system or an exhausted quota."""
    return ArtifactError(
        f"no space left below {folder} {what}; free some (`idcbench artifacts prune` removes what is old)"
        f"{remedy or ', or set XDG_CACHE_HOME to a folder on another disk'}"
    )


@contextmanager
def writing(folder: Path, *, what: str) -> Iterator[None]:
    """Turn what the file system refuses while ``what`` is written below ``folder`` into an ArtifactError."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise no_space(folder, what=what) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise ArtifactError(
                f"the cache {folder} cannot be written {what}: {error.strerror} ({error.filename}); "
                "set XDG_CACHE_HOME to a folder that can"
            ) from error
        raise
