"""Where compiled kernels are kept: in a folder of this very source, which is read and need not be written.

numba's own places will not do: they watch only the file of the entry point, not those of what is inlined into it, and
they refuse a folder that cannot be written, as in an image whose file system is read-only.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import UserProvidedCacheLocator

FOLDER = Path(__file__).parent


def cache_folder() -> Path:
    """A folder that this source and this numba own, below ``$IDCBENCH_KERNELS`` or else the user's cache."""
    given = os.environ.get("IDCBENCH_KERNELS")
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(given) if given else users / "idcbench" / "kernels") / source_digest()[:16]


@cache
def source_digest() -> str:
    """Of the content of all of this room, not of its times, and of the versions of what compiles it."""
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    for source in sorted(FOLDER.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


class KeptKernels(UserProvidedCacheLocator):
    """:func:`cache_folder`, made where that is possible. numba makes this class from its name."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        self._py_file, self._lineno = py_file, py_func.__code__.co_firstlineno

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> KeptKernels:
        """A place is always given: what is not there is compiled, and what cannot be written is told by ``warm``."""
        with suppress(OSError):
            cache_folder().mkdir(parents=True, exist_ok=True)
        return cls(py_func, py_file)

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return source_digest()
