"""Which run is meant: by a path, a target, a number, or simply the newest."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import RunError
from .archive import is_archive, unpack
from .directory import LATEST, Run, open_run


def locate_run(root: Path, said: str = "") -> Run:
    """The run that ``said`` means, among those under ``root`` (a folder ``.idcbench``).

    A path to a run directory, or to the archive of one; a target (its latest run); ``target/NNNN_name`` or
    ``target/NNNN``; ``NNNN`` when one target only has it; nothing: the newest of all. Raises :class:`RunError` with
    what there is to choose from.
    """
    if not said:
        return _newest(root)
    for path in (Path(said), root / said):
        if is_archive(path) and path.is_file():
            return unpack(path)
        if _is_there(path):
            return open_run(path / LATEST if (path / LATEST).exists() else path)
    target, _, number = said.rpartition("/")
    found = _numbered(root, target, int(number)) if re.fullmatch(r"[0-9]{1,9}", number) else []
    if len(found) == 1:
        return open_run(found[0])
    raise RunError(f"{said}: {_many(root, found) if found else 'no such run'}; {_choice(root)}")


def _newest(root: Path) -> Run:
    runs = [open_run(link) for link in root.glob(f"*/{LATEST}") if link.exists()]
    runs = runs or [open_run(path.parent) for path in root.glob("*/[0-9]*_*/run.json")]  # the links lead nowhere
    if not runs:
        raise RunError(f"{root}: no run is here yet; make one (idcbench run), or name the directory of one")
    return max(runs, key=lambda run: run.document().started)


def _numbered(root: Path, target: str, number: int) -> list[Path]:
    runs = root.glob("*/*_*")
    return sorted(
        path for path in runs if target in ("", path.parent.name) and re.match(rf"0*{number}_", path.name)
    )  # fmt: skip


def _is_there(path: Path) -> bool:
    try:
        return path.is_dir() or path.is_file()
    except OSError:  # longer than a name may be
        return False


def _many(root: Path, found: list[Path]) -> str:
    return f"{len(found)} runs have that number ({', '.join(str(path.relative_to(root)) for path in found)})"


def _choice(root: Path) -> str:
    runs = sorted(str(path.parent.relative_to(root)) for path in root.glob("*/[0-9]*_*/run.json"))
    return f"there are {', '.join(runs[-8:])}" if runs else f"there is none under {root}; make one: idcbench run"
