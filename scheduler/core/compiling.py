"""How kernels are compiled: entry points are kept on disk, what they call is compiled into them.

Without wrappers for Python the inner functions take a third of the time to compile; without reference counting (no
kernel makes or keeps an array) there is less of them. Division by zero does not raise: each divisor is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from numba import njit
from numba.core import config, event

from .keeping import KeptKernels

_CONFIG: Any = config  # numba sets its variables by name
_INNER: dict[str, Any] = {
    "error_model": "numpy", "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True
}  # fmt: skip

inner: Any = njit(**_INNER)
inline: Any = njit(**_INNER, forceinline=True)


def entry(function: Callable[..., Any]) -> Any:
    """An entry point, kept where :mod:`.keeping` says; where others keep theirs in this process is left alone."""
    others = _CONFIG.CACHE_LOCATOR_CLASSES
    _CONFIG.CACHE_LOCATOR_CLASSES = f"{KeptKernels.__module__}.{KeptKernels.__name__}"
    try:
        return njit(cache=True, error_model="numpy", nogil=True)(function)
    finally:
        _CONFIG.CACHE_LOCATOR_CLASSES = others


Told = Callable[[str, float], None]
"""Called with the name of an entry point that was compiled, and for how many seconds."""


def telling(told: Told, entries: Sequence[Any]) -> AbstractContextManager[Any]:
    """While this is open, ``told`` hears of every one of ``entries`` that is compiled instead of loaded.

    It is called by the thread that compiled, at the end; that thread waited so long.
    """
    listening: AbstractContextManager[Any] = event.install_listener("numba:compile", _Listener(told, entries))
    return listening


class _Listener(event.Listener):
    """numba sends its event once the cache was asked in vain, for inner functions too; one compiles at a time."""

    def __init__(self, told: Told, entries: Sequence[Any]) -> None:
        self._told = told
        self._names = {id(each): each.py_func.__name__ for each in entries}
        self._began_s: dict[str, float] = {}

    def on_start(self, event: Any) -> None:
        if name := self._names.get(id(event.data["dispatcher"])):
            self._began_s[name] = time.monotonic()

    def on_end(self, event: Any) -> None:
        if name := self._names.get(id(event.data["dispatcher"])):
            self._told(name, time.monotonic() - self._began_s.pop(name))
