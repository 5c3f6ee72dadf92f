"""The last way: a part compiled from its Go modules. The same toolchain gives the same bytes."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import msgspec

from ...progress import Progress, silent
from . import go_run
from .failure import WayFailedError, no_space
from .go_count import Count, is_module, is_package
from .go_module import go_needed, own_go_mod
from .go_tool import Go, environment, find_go
from .parts import Part, ask_version, machine_arch
from .recipes import RECIPES, Recipe, link_flags

LEAST_FREE_BYTES = 1_000_000_000
"""Below this a build is not begun: one binary of Kubernetes and its link alone take as much."""


class _Download(msgspec.Struct):
    """What `go mod download -json` says: paths in the module cache, or why there are none."""

    error: str = msgspec.field(name="Error", default="")
    info: str = msgspec.field(name="Info", default="")
    go_mod: str = msgspec.field(name="GoMod", default="")


class _Origin(msgspec.Struct):
    commit: str = msgspec.field(name="Hash", default="")


class _Info(msgspec.Struct):
    """What the module proxy knows of a version; the commit only where it says so."""

    time: str = msgspec.field(name="Time", default="1970-01-01T00:00:00Z")
    origin: _Origin = msgspec.field(name="Origin", default_factory=_Origin)


def build(part: Part, staging: Path, *, lock: int, progress: Progress) -> tuple[Path, str]:
    """Compile the part; returns a folder in ``staging`` with its programs, and the version of Go that was called.

    A killed build goes on where it was: Go keeps each compiled package, and ``staging`` the completed module files.
    ``lock`` is held by Go too, so that the next idcbench waits for what a killed one left running. Raises
    :class:`~.failure.WayFailedError`, or ArtifactError on a full disk.
    """
    go = find_go()
    workshop = _Workshop(part=part, recipe=RECIPES[part.name], go=go, folder=staging / "build", lock=lock)
    return workshop.build(progress), go.version


def has_kubernetes(version: str, folder: Path) -> bool:
    """Whether Go's module proxy has this Kubernetes version; false when it cannot be asked."""
    part = Part("kubernetes", version, machine_arch())
    try:
        workshop = _Workshop(part=part, recipe=RECIPES["kubernetes"], go=find_go(), folder=folder, lock=None)
        workshop.download(silent)
    except WayFailedError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workshop:
    """The folder in which a part is built: ``go.mod`` and ``main.go``, ``tmp/`` for Go, ``out/`` for the result."""

    part: Part
    recipe: Recipe
    go: Go
    folder: Path
    lock: int | None

    def build(self, progress: Progress) -> Path:
        self._check_space()
        self._check_compiler()
        self._lay_out(self.download(progress))
        whole = self._compile(self._packages(progress), progress)
        for name in self.part.binaries:
            if (said := ask_version(whole / name)) != self.part.version:
                raise WayFailedError(f"the {name} that was built says that it is {said}, not {self.part.version}")
        return whole

    def _check_compiler(self) -> None:
        if self.recipe.cgo and shutil.which("gcc") is None:
            remedy = "type: sudo apt-get install -y gcc libc6-dev (or dnf install gcc glibc-static)"
            raise WayFailedError(f"{self.part.title} needs a C compiler, and there is no gcc on PATH", remedy=remedy)

    def download(self, progress: Progress) -> _Download:
        """The module itself: where its go.mod is tells what it needs."""
        asking = self.folder / "ask"  # without a go.mod, which would have its say about toolchain and versions
        asking.mkdir(parents=True, exist_ok=True)
        module = f"{self.recipe.module}@v{self.part.version}"
        count = Count(progress, what=f"fetching {module} from Go's module proxy", unit="modules", is_one=is_module)
        try:
            answer = self._go("mod", "download", "-json", module, folder=asking, count=count)
        except WayFailedError as failure:
            said = _decoded(asking / "mod.out").error or failure.reason
            raise WayFailedError(
                " ".join(said.split()),
                remedy="if this machine reaches Go modules by another proxy, put GOPROXY=URL before the command",
            ) from failure
        return _decoded(answer)

    def _check_space(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for place in (self.folder, self.go.cache):
            existing = next(p for p in (place, *place.parents) if p.exists())
            if (free := shutil.disk_usage(existing).free) < LEAST_FREE_BYTES:
                raise no_space(place, what=f"to build {self.part.title}: {free / 1e9:.1f} GB free")

    def _lay_out(self, module: _Download) -> None:
        """Write the main module; the go.mod and go.sum that an earlier try has completed stay."""
        its_go_mod = Path(module.go_mod).read_text()
        self.go.check(go_needed(its_go_mod))
        wanted = own_go_mod(module=self.recipe.module, version=self.part.version, its_go_mod=its_go_mod)
        begun = self.folder / "go.mod.begun"
        if not begun.exists() or begun.read_text() != wanted:
            (self.folder / "go.sum").unlink(missing_ok=True)
            (self.folder / "go.mod").write_text(wanted)
            begun.write_text(wanted)
        if self.recipe.main:
            main = resources.files(__package__) / "mains" / self.recipe.main
            (self.folder / "main.go").write_text(main.read_text())
        info = Path(module.info)
        (self.folder / "info.json").write_bytes(info.read_bytes() if module.info and info.exists() else b"{}")

    def _packages(self, progress: Progress) -> int:
        """How many packages the program consists of; fetches their modules on the way."""
        count = Count(progress, what=f"fetching the Go modules of {self.part.title}", unit="modules", is_one=is_module)
        listed = self._go("list", "-deps", *self.recipe.packages, folder=self.folder, count=count)
        return len(listed.read_text().splitlines())

    def _compile(self, total: int, progress: Progress) -> Path:
        """`go build`; the packages that it names are counted, together with those of an earlier try."""
        whole = self.folder / "out"
        shutil.rmtree(whole, ignore_errors=True)
        whole.mkdir()
        cores = len(os.sched_getaffinity(0))
        what = (
            f"compiling {self.part.title} from Go modules with {self.go.version} (about {self.recipe.minutes(cores)} "
            f"min on {cores} cores when nothing is compiled yet)"
        )
        journal = self.folder / "compiled.txt"
        count = Count(progress, what=what, unit="packages", is_one=is_package, total=total, journal=journal)
        flags = ["-v", "-p", str(cores), "-trimpath", "-buildvcs=false", "-ldflags", self._link_flags()]
        if self.recipe.cgo:
            flags += ["-tags", "netgo,osusergo"]  # what a static glibc cannot do is left to Go
        if len(self.recipe.packages) > 1:
            self._go("build", *flags, "-o", f"{whole}/", *self.recipe.packages, folder=self.folder, count=count)
        else:
            self._compile_one(whole, flags, count)
        return whole

    def _compile_one(self, whole: Path, flags: list[str], count: Count) -> None:
        """One program, to which all names of the part lead."""
        first, *others = self.part.binaries
        program = whole / (self.part.name if others else first)
        self._go("build", *flags, "-o", str(program), *self.recipe.packages, folder=self.folder, count=count)
        for name in self.part.binaries if others else ():
            (whole / name).symlink_to(program.name)

    def _link_flags(self) -> str:
        info = msgspec.json.decode((self.folder / "info.json").read_bytes(), type=_Info)
        return link_flags(self.recipe, version=self.part.version, commit=info.origin.commit, date=info.time)

    def _go(self, *argv: str, folder: Path, count: Count) -> Path:
        """Run Go in ``folder``; returns the file with what it wrote to stdout."""
        scratch = self.folder / "tmp"  # Go leaves its own behind when it is killed
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        output = folder / f"{argv[0]}.out"
        go_run.run(
            [str(self.go.path), *argv],
            folder=folder,
            env=environment(
                GOOS="linux", GOARCH=self.part.arch, GOTMPDIR=str(scratch), CGO_ENABLED=str(int(self.recipe.cgo))
            ),
            output=output,
            on_line=count.line,
            on_wait=count.show,
            keep_open=() if self.lock is None else (self.lock,),
        )
        return output


def _decoded(answer: Path) -> _Download:
    try:
        return msgspec.json.decode(answer.read_bytes(), type=_Download)
    except (OSError, msgspec.MsgspecError):
        return _Download()
