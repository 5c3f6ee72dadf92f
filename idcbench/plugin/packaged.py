"""The packaged suites: found in the installed package, collected under node ids that are the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent
ROOT = PACKAGE / "suites"
PREFIX = "idcbench/suites"


def suite_names() -> list[str]:
    """The suites that are there: the folders with tests, by name."""
    return sorted(path.parent.name for path in ROOT.glob("[a-z]*/__init__.py"))


def packaged_ids(names: Sequence[str] = ()) -> list[str]:
    """The node ids of these suites, of all when none is named. Raises :class:`pytest.UsageError` for one unknown."""
    there = suite_names()
    for name in names:
        if name not in there:
            raise pytest.UsageError(f"--idc-suite={name}: there is no such suite; there are {', '.join(there)}")
    return [f"{PREFIX}/{name}" for name in names or there]


def as_packaged(arg: str, *, from_folder: Path) -> str | None:
    """The node id of a command-line argument that means packaged tests, ``None`` for any other.

    Either a path into the installed package, or a node id as it is printed, unless that is a path of the user's.
    """
    path, _, names = arg.partition("::")
    absolute = from_folder / path
    if absolute == ROOT or ROOT in absolute.parents:
        path = f"{PREFIX}/{absolute.relative_to(ROOT).as_posix()}".removesuffix("/.")
    elif absolute.exists() or not (path == PREFIX or path.startswith(f"{PREFIX}/")):
        return None
    if not path_of(path).exists():
        raise pytest.UsageError(
            f"{arg}: there is no such packaged test; `--idc-suite` takes {', '.join(suite_names())}"
        )
    return f"{path}::{names}" if names else path


def path_of(nodeid: str) -> Path:
    """The file or folder of a packaged node id, with the names in it left out."""
    return ROOT / nodeid.partition("::")[0].removeprefix(PREFIX).lstrip("/")


def collectors(session: pytest.Session, wanted: Iterable[str]) -> list[pytest.Collector]:
    """Collectors of the suites that hold the node ids ``wanted``."""
    wanted = tuple(wanted)
    folders = [ROOT / name for name in suite_names()]
    return [
        SuiteFolder.of(session, folder, wanted) for folder in folders if _on_the_way(f"{PREFIX}/{folder.name}", wanted)
    ]


class SuiteFolder(pytest.Directory):
    """A folder of packaged tests. Its rules of what a test is are its own, whatever the ini file says."""

    wanted: tuple[str, ...]

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, wanted: tuple[str, ...]) -> SuiteFolder:
        folder: SuiteFolder = cls.from_parent(parent, path=path, name=path.name, nodeid=_nodeid(path))
        folder.wanted = wanted
        return folder

    def collect(self) -> Iterator[pytest.Collector]:
        for path in sorted(self.path.iterdir()):
            if not _on_the_way(_nodeid(path), self.wanted):
                continue
            if path.is_dir() and (path / "__init__.py").is_file():
                yield SuiteFolder.of(self, path, self.wanted)
            elif path.suffix == ".py" and path.name.startswith("test_"):
                module: SuiteModule = SuiteModule.from_parent(self, path=path, name=path.name, nodeid=_nodeid(path))
                module.wanted = self.wanted
                yield module


class SuiteModule(pytest.Module):
    """A module of packaged tests, which are plain functions ``test_*``."""

    wanted: tuple[str, ...]

    def funcnamefilter(self, name: str) -> bool:
        return name.startswith("test_")

    def classnamefilter(self, name: str) -> bool:  # noqa: ARG002 - pytest's signature
        return False

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        for node in super().collect():
            if _on_the_way(node.nodeid, self.wanted):
                yield node


def _nodeid(path: Path) -> str:
    return f"{PREFIX}/{path.relative_to(ROOT).as_posix()}"


def _on_the_way(nodeid: str, wanted: Sequence[str]) -> bool:
    """Whether one of ``wanted`` is this node, above it, or below it."""
    return any(_within(nodeid, each) or _within(each, nodeid) for each in wanted)


def _within(nodeid: str, outer: str) -> bool:
    return nodeid == outer or nodeid.startswith((f"{outer}/", f"{outer}::", f"{outer}["))
