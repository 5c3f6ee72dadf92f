"""What idcbench says when it cannot go on: one class per kind of remedy, printed in one place (cli/main.py, plugin)."""

from __future__ import annotations


class IdcError(Exception):
    """A failure that the reader can mend: the text says what was wanted, what was found and what to do.

    Printed as ``error: TEXT`` without a traceback. ``exit_code`` is the process's exit code.
    """

    exit_code = 1


class UsageError(IdcError):
    """The command line, an option's value or a file is wrong; nothing was started."""

    exit_code = 4


class ClusterError(IdcError):
    """No cluster could be provided, or the one there is not as asked for."""

    exit_code = 6


class ArtifactError(ClusterError):
    """A binary could not be found, fetched or built; the text names each way that was tried."""


class RunError(IdcError):
    """A run directory cannot be written or read."""

    exit_code = 4
