"""Where numba finds the kernels of an image: a folder that is read, and need not be written.

numba's own locators refuse a folder that they cannot write. In an image this class is named by
``NUMBA_CACHE_LOCATOR_CLASSES``, which numba documents for the purpose. Whether a kernel is still good is told by the
content of the sources, not by their times.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from numba.core.caching import UserProvidedCacheLocator


class KeptKernels(UserProvidedCacheLocator):
    """The folder ``$IDCBENCH_KERNELS``."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)  # type: ignore[no-untyped-call]
        self._folder = Path(py_file).parent

    def ensure_cache_path(self) -> None:
        """It is there, or can be made. Raises ``OSError``, upon which numba says that there is no place."""
        Path(self.get_cache_path()).mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        return os.environ["IDCBENCH_KERNELS"]

    def get_source_stamp(self) -> str:
        digest = hashlib.sha256()
        for source in sorted(self._folder.glob("*.py")):
            digest.update(source.read_bytes())
        return digest.hexdigest()
