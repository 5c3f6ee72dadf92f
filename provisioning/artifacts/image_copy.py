"""Images as others made them, copied from a registry or a mirror by skopeo, which makes OCI images of all."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bundle_schema import BundleEntry
from .bundle_write import Shelf
from .failure import BundleError

LIMIT_S = 900.0


@dataclass(frozen=True, slots=True)
class Registry:
    """``address`` stands in front of the names instead of the registry in them; ``http://`` says without TLS."""

    address: str
    architecture: str

    def copy(self, reference: str, shelf: Shelf) -> BundleEntry:
        """Put an image's blobs aside. Raises :class:`~.failure.BundleError`."""
        with tempfile.TemporaryDirectory(dir=shelf.folder) as folder:
            layout = Path(folder) / "image"
            self._fetch(reference, layout)
            return _entry(reference, layout, shelf, origin=f"copied from {self._place}")

    @property
    def _place(self) -> str:
        return self.address.removeprefix("http://").removeprefix("https://").rstrip("/")

    def _fetch(self, reference: str, layout: Path) -> None:
        source = f"{self._place}/{reference.partition('/')[2]}"
        plain = self.address.startswith("http://")
        if (program := shutil.which("skopeo")) is None:
            raise BundleError("--images-from needs skopeo, which is not on PATH; type: sudo apt-get install skopeo")
        insecure = ["--src-tls-verify=false"] if plain else []
        argv = [program, f"--override-arch={self.architecture}", "--override-os=linux", "copy", "--quiet",
                *insecure, f"docker://{source}", f"oci:{layout}"]  # fmt: skip
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            raise BundleError(
                f"{source} was not copied within {LIMIT_S:g} s; is {self._place} to be reached?"
            ) from None
        if done.returncode:
            said = " ".join(done.stderr.split())[-500:]
            raise BundleError(f"{source} cannot be copied: {said}; see that --images-from names a registry that has it")


def _entry(reference: str, layout: Path, shelf: Shelf, *, origin: str) -> BundleEntry:
    """The one image of a layout."""
    head = json.loads((layout / "index.json").read_bytes())["manifests"][0]
    text = _blob(layout, head)
    manifest = json.loads(text)
    rest = [manifest["config"], *manifest["layers"]]
    parts = (text, *(_blob(layout, one) for one in rest))
    return shelf.keep_image(reference, parts, origin=origin)


def _blob(layout: Path, descriptor: dict[str, Any]) -> bytes:
    digest: str = descriptor["digest"]
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()
