"""Write a bundle: what goes in lies on the disk as it will lie in the file, so that little of it is in memory."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import ArtifactError
from ...progress import Progress, silent
from .bundle_layout import END, digest_line, layout
from .bundle_schema import Blob, BundleEntry, BundleManifest, encode
from .manifest import sha256

_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Blobs on their way into a bundle: files in ``folder``, or where they lay; ``files`` by sha256."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)

    def keep(self, content: bytes) -> Blob:
        """Put bytes aside."""
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self.files:
            self.files[digest] = self.folder / digest
            self.files[digest].write_bytes(content)
        return Blob(sha256=digest, size_bytes=len(content))

    def keep_image(self, reference: str, parts: Iterable[bytes], *, origin: str) -> BundleEntry:
        """Put an image aside: ``parts`` are its manifest, its configuration, its layers; its version is its tag."""
        blobs = tuple(self.keep(part) for part in parts)
        return BundleEntry(
            name=reference,
            kind="image",
            version=reference.rpartition(":")[2].removeprefix("v"),
            size_bytes=sum(blob.size_bytes for blob in blobs),
            sha256=blobs[0].sha256,
            origin=origin,
            media="oci",
            blobs=blobs,
        )

    def refer(self, file: Path) -> Blob:
        """Take a file as it is, from where it is."""
        digest = sha256(file)
        self.files.setdefault(digest, file)
        return Blob(sha256=digest, size_bytes=file.stat().st_size)


@contextmanager
def onto(path: Path) -> Iterator[None]:
    """Turn what a file system refuses while ``path`` is made into an ArtifactError."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        raise ArtifactError(
            f"{path} cannot be made: {error.filename or path.parent}: {error.strerror}; free about 1 GB there, or name "
            "another place with -o"
        ) from error


def write_bundle(
    path: Path, manifest: BundleManifest, files: Mapping[str, Path], *, progress: Progress = silent
) -> None:
    """Write it in one step: a file that is there is whole. ``files`` hold the blobs, by sha256.

    Raises :class:`~idcbench.errors.ArtifactError` when the file system refuses.
    """
    json = encode(manifest)
    places = layout(manifest, json_size_bytes=len(json))
    fresh = path.with_name(f"{path.name}.part")
    with onto(path):
        try:
            with fresh.open("wb") as file:
                for place, content in ((places.manifest, json), (places.digest, digest_line(json))):
                    file.write(place.header + content + bytes(place.padding))
                for digest, place in places.blobs.items():
                    progress(f"writing {path}", done=place.offset / 1e6, total=places.size_bytes / 1e6, unit="MB")
                    file.write(place.header)
                    with files[digest].open("rb") as blob:
                        shutil.copyfileobj(blob, file, 1 << 20)
                    file.write(bytes(place.padding))
                file.write(END)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
