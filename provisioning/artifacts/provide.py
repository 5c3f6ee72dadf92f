"""From a version to programs: the user's directory, the cache, the official release or a mirror, a build."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...errors import UsageError
from ...progress import Progress, silent
from . import go_build, release
from .binaries import Binaries, assemble
from .directory import in_directory
from .failure import WayFailedError, nothing_worked, writing
from .options import SourceOptions
from .parts import Part, machine_arch, parts_of
from .recipes import RECIPES
from .store import Entry, Store
from .versions import DEFAULT, Versions, existing, resolve


def provide(version: str = DEFAULT, *, options: SourceOptions | None = None, progress: Progress = silent) -> Binaries:
    """The programs of a Kubernetes version (``1.37`` or ``1.37.2``), and the etcd and KWOK that go with it.

    Blocks; with a warm cache for some milliseconds, otherwise for as long as fetching (seconds) or compiling (minutes)
    takes. Two processes may ask at once: one works, the other waits for it. ``progress`` is called at least twice a
    second while something is going on, and what it raises ends the work and comes out of here; what was begun is gone
    on from next time.

    Raises :class:`~idcbench.errors.UsageError` for a version that does not exist and options that cannot be meant, and
    :class:`~idcbench.errors.ArtifactError` when nothing worked, naming each way that was tried.
    """
    options = options or SourceOptions()
    entries = provide_parts(parts_of(resolve(version), machine_arch()), version, options=options, progress=progress)
    return assemble(options.cache / "sets", entries)


def provide_parts(parts: Sequence[Part], version: str, *, options: SourceOptions, progress: Progress) -> list[Entry]:
    """Like :func:`provide`, for parts of one's own choice; ``version`` is the Kubernetes version that was asked for."""
    options.check()
    wanted, store = resolve(version), Store(options.cache)
    return [_obtain(part, wanted, store, options, progress) for part in parts]


def _obtain(part: Part, wanted: Versions, store: Store, options: SourceOptions, progress: Progress) -> Entry:
    if options.directory is not None:
        given = in_directory(part, directory=options.directory, wanted=wanted, cache=store.root, progress=progress)
        if given:
            return given
    if cached := store.find(part):
        progress(f"{part.title}: in the cache ({cached.manifest.provenance})")
        return cached
    with store.lock(part, progress) as lock:
        if cached := store.find(part):  # another process has just provided it
            return cached
        if part.name == "kubernetes" and not wanted.known:
            _confirm(part, store, options, progress)
        with writing(store.root, what=f"for {part.title}"):
            store.staging(part).mkdir(parents=True, exist_ok=True)
            return _make(part, store, options, lock, progress)


def _confirm(part: Part, store: Store, options: SourceOptions, progress: Progress) -> None:
    """Raise UsageError unless a source has this patch, which is newer than the table in versions.py."""
    progress(f"asking whether there is a {part.title}")
    if options.download and release.has(part, site=release.site_of(options.mirror), patience=options.patience):
        return
    if options.build and go_build.has_kubernetes(part.version, store.staging(part) / "build"):
        return
    store.discard(store.staging(part))
    raise UsageError(f"{part.title} is not known here, and no source that can be asked has it; there are {existing()}")


def _make(part: Part, store: Store, options: SourceOptions, lock: int, progress: Progress) -> Entry:
    """Fetch or build the part. Raises ArtifactError with all that was tried."""
    site = release.site_of(options.mirror)
    ways: dict[str, Callable[[], Entry]] = {
        site.name: lambda: _download(part, store, options, site, progress),
        "build from Go modules": lambda: _build(part, store, options, lock, progress),
    }
    tried = _searched(part, store, options)
    for name, way in ways.items():
        try:
            return way()
        except WayFailedError as failure:
            progress(f"{part.title}: {name}: {failure.reason}")
            tried.append((name, failure))
    raise nothing_worked(part.title, tried)


def _searched(part: Part, store: Store, options: SourceOptions) -> list[tuple[str, WayFailedError]]:
    """The ways that only look, for the message: when something is made, neither has it."""
    if options.directory is None:
        given = WayFailedError("none given", remedy="--artifacts DIR names a directory with the programs")
    else:
        given = WayFailedError(f"{options.directory} holds none of {', '.join(part.binaries)}")
    return [("directory", given), ("cache", WayFailedError(f"{store.root} holds no {part.title}"))]


def _download(part: Part, store: Store, options: SourceOptions, site: release.Site, progress: Progress) -> Entry:
    if not options.download:
        raise WayFailedError("not allowed (--no-download)")
    try:
        whole = release.fetch(part, store.staging(part), site=site, patience=options.patience, progress=progress)
    except WayFailedError as failure:
        remedy = failure.remedy or "--mirror URL (or IDCBENCH_MIRROR) names a copy of the releases: docs/artifacts.md"
        raise WayFailedError(failure.reason, remedy=remedy) from failure
    return store.add(part, whole, way="release", provenance=site.provenance, source=release.source_of(part, site))


def _build(part: Part, store: Store, options: SourceOptions, lock: int, progress: Progress) -> Entry:
    if not options.build:
        raise WayFailedError("not allowed (--no-build)")
    whole, go = go_build.build(part, store.staging(part), lock=lock, progress=progress)
    return store.add(
        part,
        whole,
        way="build",
        provenance=f"built from Go modules ({go})",
        source=f"{RECIPES[part.name].module}@v{part.version}",
    )
