"""What was compressed once, kept by what went in: making a bundle again costs reading instead of compressing."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from .oci_layer import Entries, Entry, Layer, layer, with_parents


class _Kept(msgspec.Struct, frozen=True):
    """The digest of what lies beside, and of what it unpacks to when it is a layer."""

    digest: str
    diff_id: str = ""


def squeezed(content: bytes, *, cache: Path) -> bytes:
    """gzip -6 without name and time: the same bytes give the same bytes, with the same zlib."""
    key = f"gzip-{hashlib.sha256(content).hexdigest()}"
    if found := _find(key, cache):
        return found[0]
    blob = gzip.compress(content, compresslevel=6, mtime=0)
    _keep(key, blob, _Kept(_digest(blob)), cache)
    return blob


def pressed(entries: Entries, *, cache: Path) -> Layer:
    """:func:`~.oci_layer.layer` of the entries."""
    key = f"layer-{_key(with_parents(entries))}"
    if found := _find(key, cache):
        blob, kept = found
        return Layer(blob, kept.digest, kept.diff_id)
    made = layer(entries)
    _keep(key, made.blob, _Kept(made.digest, made.diff_id), cache)
    return made


def _key(entries: Mapping[str, Entry]) -> str:
    """Stands for all that a layer depends on."""
    whole = hashlib.sha256()
    for path, entry in sorted(entries.items()):
        content = None if entry.content is None else hashlib.sha256(entry.content).hexdigest()
        whole.update(msgspec.json.encode((path, content, entry.target, entry.mode)))
    return whole.hexdigest()


def _find(key: str, cache: Path) -> tuple[bytes, _Kept] | None:
    """What was kept, if it is still what was kept."""
    try:
        kept = msgspec.json.decode((_folder(cache) / f"{key}.json").read_bytes(), type=_Kept)
        blob = (_folder(cache) / key).read_bytes()
        os.utime(_folder(cache))  # `artifacts prune` leaves what was used of late
    except (OSError, msgspec.MsgspecError):
        return None
    return (blob, kept) if _digest(blob) == kept.digest else None


def _keep(key: str, blob: bytes, kept: _Kept, cache: Path) -> None:
    _folder(cache).mkdir(parents=True, exist_ok=True)
    for name, content in ((key, blob), (f"{key}.json", msgspec.json.encode(kept))):
        handle, fresh = tempfile.mkstemp(dir=_folder(cache))
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(fresh).replace(_folder(cache) / name)


def _folder(cache: Path) -> Path:
    return cache / "pressed"


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"
