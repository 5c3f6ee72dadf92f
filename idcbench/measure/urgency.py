"""Asking the kernel to let a process that measures run as soon as it wakes.

An instrument must be punctual on a machine whose processors are all in use, as they are where a control plane and its
load share two of them. Who may (root, CAP_SYS_NICE) becomes a real-time process of the lowest priority, as load
generators and cyclictest do; it goes before everything ordinary for as long as it has something to do, which is
recorded as the harness's share. Who may not asks for short slices, for which no privilege is needed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Literal

SLICE_NS = 100_000
"""The shortest that the kernel takes. Whoever asks for short turns gets them sooner (EEVDF; its deadline follows from
the slice). Linux takes a slice for ordinary processes from 6.12 on and ignores it before."""
PRIORITY = 1
"""The lowest of the real-time ones: the kernel's own threads of that class go first."""
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
_SCHED_ATTR = struct.Struct("=IIQiIQQQ")
"""struct sched_attr of sched_setattr(2): size, policy, flags, nice, priority, runtime, deadline, period."""


def ask_to_run_soon() -> Literal["real-time", "short slices", "as any"]:
    """What the kernel granted to this process and the threads that it starts."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except OSError:
        return "short slices" if _ask_for_short_slices() else "as any"
    return "real-time"


def _ask_for_short_slices() -> bool:
    """Whether the kernel took the request. On a busy machine it halved the time from being due to running."""
    number = _SCHED_SETATTR.get(platform.machine())
    if number is None:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = _SCHED_ATTR.pack(_SCHED_ATTR.size, os.SCHED_OTHER, 0, nice, 0, SLICE_NS, 0, 0)
    result: int = ctypes.CDLL(None, use_errno=True).syscall(number, 0, wanted, 0)
    return result == 0
