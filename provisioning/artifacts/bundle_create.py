"""Put a bundle together: programs by the ways of docs/artifacts.md, images out of them, packages by apt."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ... import __version__
from ...errors import ArtifactError
from ...progress import Progress, silent
from .binaries import Binaries
from .bundle_schema import Blob, BundleEntry, BundleManifest
from .bundle_write import Shelf, onto, write_bundle
from .image_copy import Registry
from .image_file import images_of
from .image_pack import Packed, pack
from .images import REGISTRY_PACKAGE, TOOL_PACKAGES, Ingredients, Names, image_recipes, layer_recipes
from .manifest import sha256
from .oci_debian import unpacked
from .options import SourceOptions
from .own_go import own_program
from .packages import HOST, WANTED, Apt, Package, check_distribution
from .parts import Part, machine_arch
from .pressed import squeezed
from .provide import provide, provide_parts
from .store import Entry
from .versions import CNI_PLUGINS, CRICTL, FLANNEL, METRICS_SERVER

_OWN = ("pause", "cni-conf", "csr-approver", "podtool")
_HOST_PROGRAMS = ("kubelet", "kubeadm", "kubectl", "crictl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a bundle is asked to be.

    ``images_from`` is a registry whose images are taken instead of our own, ``image_files`` are images besides.
    """

    kubernetes: str
    distributions: Sequence[str]
    options: SourceOptions
    images_from: str = ""
    image_files: Sequence[Path] = ()


def create(wish: Wish, path: Path, *, progress: Progress = silent) -> BundleManifest:
    """Make the bundle ``path``; takes as long as what is not cached takes to fetch or compile, and then some 30 s.

    The same programs and packages, on the same Python, give the same bytes. Raises
    :class:`~idcbench.errors.UsageError` and :class:`~idcbench.errors.ArtifactError`.
    """
    distributions = [check_distribution(one) for one in dict.fromkeys(wish.distributions)]
    wish.options.check()
    if not path.parent.is_dir():
        raise ArtifactError(f"-o {path}: there is no folder {path.parent}; make it, or name another")
    with onto(path), tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        work = _Work(wish=wish, architecture=machine_arch(), shelf=Shelf(Path(folder)), progress=progress)
        manifest = work.manifest(distributions)
        write_bundle(path, manifest, work.shelf.files, progress=progress)
    return manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    wish: Wish
    architecture: str
    shelf: Shelf
    progress: Progress

    def manifest(self, distributions: Sequence[str]) -> BundleManifest:
        kubernetes = provide(self.wish.kubernetes, options=self.wish.options, progress=self.progress)
        listed = listed_images(kubernetes)
        parts = {entry.manifest.part: entry for entry in self._parts(kubernetes, listed)}
        apts = [self._apt(distribution) for distribution in distributions]
        programs = self._programs(kubernetes, parts)
        binaries = self._binaries(programs, parts, kubernetes)
        images = self._images(apts[0], programs, parts, kubernetes, listed)
        packages = (entry for apt in apts for entry in self._packages(apt))
        return BundleManifest(
            kubernetes=kubernetes.kubernetes,
            architecture=self.architecture,
            distributions=tuple(distributions),
            created_by=f"idcbench {__version__}",
            entries=(*binaries, *images, *packages),
        )

    def _apt(self, distribution: str) -> Apt:
        self.progress(f"asking for the packages of {distribution}")
        return Apt.ready(distribution, self.architecture, cache=self.wish.options.cache)

    def _parts(self, kubernetes: Binaries, listed: Sequence[str]) -> list[Entry]:
        coredns = next(one.rpartition(":v")[2] for one in listed if "/coredns:" in one)
        wanted = (
            Part("coredns", coredns, self.architecture),
            Part("flannel", FLANNEL, self.architecture),
            Part("metrics-server", METRICS_SERVER, self.architecture),
            Part("cni-plugins", CNI_PLUGINS, self.architecture),
            Part("crictl", CRICTL, self.architecture),
        )
        return provide_parts(wanted, kubernetes.kubernetes, options=self.wish.options, progress=self.progress)

    def _programs(self, kubernetes: Binaries, parts: dict[str, Entry]) -> dict[str, Path]:
        """Every program by name, as the file that it is."""
        sources = Path(str(resources.files(__package__) / "programs"))
        own = {
            name: own_program(sources / name, cache=self.wish.options.cache, progress=self.progress) for name in _OWN
        }
        parted = {name: entry.folder / name for entry in parts.values() for name in entry.manifest.files}
        whole = {name: kubernetes.folder / name for name in kubernetes.digests}
        return {name: path.resolve() for name, path in (whole | parted | own).items()}

    def _binaries(
        self, programs: dict[str, Path], parts: dict[str, Entry], kubernetes: Binaries
    ) -> Iterator[BundleEntry]:
        plugins = parts["cni-plugins"].manifest
        places = {name: f"/usr/local/bin/{name}" for name in _HOST_PROGRAMS}
        places |= {name: f"/opt/cni/bin/{name}" for name in sorted(plugins.files)}
        squeezed = self._squeezed(sorted({programs[name] for name in places}))
        for name, place in places.items():
            file = programs[name]
            part = next((entry.manifest for entry in parts.values() if name in entry.manifest.files), None)
            yield BundleEntry(
                name=name,
                kind="binary",
                version=part.version if part else kubernetes.kubernetes,
                size_bytes=file.stat().st_size,
                sha256=sha256(file),
                origin=part.provenance if part else kubernetes.provenance,
                media="gzip",
                blobs=(squeezed[file],),
                path=place,
            )

    def _squeezed(self, files: Sequence[Path]) -> dict[Path, Blob]:
        self.progress("compressing programs")
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return dict(zip(files, pool.map(self._squeeze, files), strict=True))

    def _squeeze(self, file: Path) -> Blob:
        return self.shelf.keep(squeezed(file.read_bytes(), cache=self.wish.options.cache))

    def _images(
        self,
        apt: Apt,
        programs: dict[str, Path],
        parts: dict[str, Entry],
        kubernetes: Binaries,
        listed: Sequence[str],
    ) -> Iterator[BundleEntry]:
        registry = apt.only(REGISTRY_PACKAGE)
        tools = unpacked([package.file for package in apt.closure(TOOL_PACKAGES)])
        given = Ingredients(programs=programs, tools=tools, registry=unpacked([registry.file]))
        upstream = registry.version.partition("+")[0].partition("-")[0]
        names = Names.of(listed, flannel=FLANNEL, metrics_server=METRICS_SERVER, registry=upstream)
        versions = {name: entry.manifest.version for name, entry in parts.items()} | {
            "kubernetes": kubernetes.kubernetes, "etcd": kubernetes.etcd, "registry": registry.version,
        }  # fmt: skip
        recipes = image_recipes(given, names, versions)
        copied = [one for one in recipes if self.wish.images_from and one.reference.startswith("registry.k8s.io/")]
        yield from self._copied([one.reference for one in copied])
        self.progress("packing images")
        own = [one for one in recipes if one not in copied]
        for packed in pack(own, layer_recipes(given), architecture=self.architecture, cache=self.wish.options.cache):
            yield self._image(packed)
        for file in self.wish.image_files:
            self.progress(f"taking the images of {file}")
            yield from images_of(file, self.shelf, architecture=self.architecture)

    def _copied(self, references: Sequence[str]) -> Iterator[BundleEntry]:
        source = Registry(self.wish.images_from, self.architecture) if references else None
        for reference in references:
            self.progress(f"copying {reference} from {self.wish.images_from}")
            if source:
                yield source.copy(reference, self.shelf)

    def _image(self, packed: Packed) -> BundleEntry:
        blobs = [self.shelf.keep(content) for content in packed.image.stored]
        return BundleEntry(
            name=packed.recipe.reference,
            kind="image",
            version=packed.recipe.version,
            size_bytes=sum(blob.size_bytes for blob in blobs),
            sha256=packed.image.digest.removeprefix("sha256:"),
            origin="made by idcbench",
            media="oci",
            blobs=tuple(blobs),
        )

    def _packages(self, apt: Apt) -> Iterator[BundleEntry]:
        self.progress(f"choosing the packages of {apt.distribution}")
        for package in apt.closure(WANTED, installed=HOST):
            yield self._package(package, apt.distribution)

    def _package(self, package: Package, distribution: str) -> BundleEntry:
        blob = self.shelf.refer(package.file)
        return BundleEntry(
            name=package.name,
            kind="package",
            version=package.version,
            size_bytes=blob.size_bytes,
            sha256=blob.sha256,
            origin=f"Debian package of {distribution}",
            media="plain",
            blobs=(blob,),
            distribution=distribution,
        )


def listed_images(kubernetes: Binaries) -> list[str]:
    """The images that kubeadm of this version asks for. Raises :class:`~idcbench.errors.ArtifactError`."""
    argv = [str(kubernetes.folder / "kubeadm"), "config", "images", "list",
            f"--kubernetes-version=v{kubernetes.kubernetes}"]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode or not done.stdout.strip():
        raise ArtifactError(f"`{' '.join(argv)}` ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout.split()
