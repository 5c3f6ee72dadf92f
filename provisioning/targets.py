"""From the name of a target to the target."""

from __future__ import annotations

from pathlib import Path

from ..cluster import Target
from ..errors import UsageError
from ..options import TargetOptions, is_inventory
from ..progress import Progress, silent
from .artifacts import SourceOptions
from .embedded.target import EmbeddedTarget
from .existing import ExistingTarget
from .idc.target import InventoryTarget

NAMES = ("embedded", "kubeconfig", "the path of an inventory")


def find_target(target: str, *, options: TargetOptions, progress: Progress = silent) -> Target:
    """The target by that name. Raises :class:`UsageError` when there is none."""
    if target == "embedded":
        return EmbeddedTarget(name=options.name, sources=_sources(options), progress=progress)
    if target == "kubeconfig":
        return ExistingTarget(kubeconfig=options.kubeconfig, context=options.context)
    if is_inventory(target):
        bundle = Path(options.bundle) if options.bundle else None
        return InventoryTarget(path=Path(target), bundle=bundle, progress=progress)
    raise UsageError(f"no target {target!r}; there are {', '.join(NAMES)}")


def _sources(options: TargetOptions) -> SourceOptions:
    """The sources of artifacts; what is not given stays at its default."""
    given: dict[str, object] = {}
    if options.artifacts:
        given["directory"] = Path(options.artifacts)
    if options.mirror:
        given["mirror"] = options.mirror
    return SourceOptions(**given)  # type: ignore[arg-type]
