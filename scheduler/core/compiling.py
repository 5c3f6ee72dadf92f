"""How kernels are compiled: entry points are kept on disk, what they call is compiled into them.

Without wrappers for Python the inner functions take a third of the time to compile; without reference counting (no
kernel makes or keeps an array) there is less of them. Division by zero does not raise: each divisor is looked at.
"""

from __future__ import annotations

from typing import Any

from numba import njit

_INNER: dict[str, Any] = {
    "error_model": "numpy", "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True
}  # fmt: skip

entry: Any = njit(cache=True, error_model="numpy", nogil=True)
inner: Any = njit(**_INNER)
inline: Any = njit(**_INNER, forceinline=True)
