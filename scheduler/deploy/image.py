"""What the scheduler's image is made of."""

from __future__ import annotations

import re

from .manifests import USER
from .roles import NAME

REFERENCE = f"{NAME}:latest"
PYTHON = "3.11"
"""Debian 12's own, and what the kernels are tried with."""
SITE = "opt/idcbench/site"
KERNELS = "opt/idcbench/kernels"
PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
DISTRIBUTIONS = (
    "aiohappyeyeballs", "aiohttp", "aiosignal", "attrs", "cffi", "click", "cryptography", "frozenlist", "h2",
    "hdrhistogram", "hpack", "hyperframe", "idna", "llvmlite", "msgspec", "multidict", "numba", "numpy",
    "prometheus_client", "propcache", "pycparser", "PyYAML", "tabulate", "typing_extensions", "yarl",
)  # fmt: skip
"""What `idcbench scheduler run` imports, and a load from pods; not all that idcbench as a whole depends on."""
ENTRYPOINT = ("/usr/bin/python3", "-m", "idcbench.cli.main", "scheduler", "run")
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONPATH": f"/{SITE}",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "NUMBA_CPU_NAME": "generic",
    "IDCBENCH_KERNELS": f"/{KERNELS}",
}
"""The kernels are compiled for any x86-64, so that an image has them for whatever processor it comes to."""
BUILDING = ENVIRONMENT | {"PYTHONHASHSEED": "0"}
"""While the kernels are compiled and the bytecode is: nothing may depend on the order of a set."""
WITHOUT = (
    f"{SITE}/numba/tests",
    f"{SITE}/llvmlite/tests",
    f"{SITE}/numpy/_core/tests",
    f"{SITE}/numpy/lib/tests",
    f"{SITE}/numpy/ma/tests",
    f"{SITE}/numpy/random/tests",
    f"{SITE}/numpy/f2py",
    f"{SITE}/numpy/typing/tests",
)
BYTECODE = ("/usr/bin/python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", f"/{SITE}",
            "/usr/lib/python3.11")  # fmt: skip
"""Nothing can be compiled on a read-only file system, and compiling all at each start would take seconds."""
WARM = ("/usr/bin/python3", "-m", "idcbench.cli.main", "scheduler", "warm")
USER_AND_GROUP = f"{USER}:{USER}"
_ADDRESS = re.compile(rb"(?<= at 0x)[0-9a-f]+(?=>)")


def without_addresses(kernel: bytes) -> bytes:
    """A kept kernel as every build makes it, of the same length.

    With each goes numba's account of its types, for people to read; it names what is inlined by Python's repr, which
    has where the function lay in the memory of the process that compiled.
    """
    return _ADDRESS.sub(lambda found: b"0" * len(found[0]), kernel)
