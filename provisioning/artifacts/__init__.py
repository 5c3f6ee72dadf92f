"""The programs that a cluster consists of: found, fetched or built, and kept by version and digest."""

from .binaries import Binaries
from .options import SourceOptions
from .provide import provide

__all__ = ["Binaries", "SourceOptions", "provide"]
