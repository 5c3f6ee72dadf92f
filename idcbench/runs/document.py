"""run.json as a file: read with care, replaced in one step."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ..errors import RunError
from .records import UNREADABLE
from .schema import SCHEMA, RunDocument, SchemaOnly

DOCUMENT = "run.json"


def read_document(folder: Path) -> RunDocument:
    """The run.json of a run directory. Raises :class:`RunError` when there is none, or one of a newer schema."""
    path = folder / DOCUMENT
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(
            f"{folder}: not a run directory: {path.name}: {error.strerror}; name one, or make one: idcbench run"
        ) from error
    try:
        schema = msgspec.json.decode(content, type=SchemaOnly).schema
        if schema > SCHEMA:
            raise RunError(
                f"{path}: schema {schema}, this idcbench knows up to {SCHEMA}; read it with a newer idcbench"
            )
        return msgspec.json.decode(content, type=RunDocument)
    except UNREADABLE as error:
        raise RunError(f"{path}: damaged or not of idcbench: {error}; the samples beside it are still there") from error


def write_document(folder: Path, document: RunDocument) -> None:
    """Replace the run.json of a run directory. Raises :class:`RunError`."""
    try:
        replace_file(folder / DOCUMENT, msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
    except OSError as error:
        raise RunError(
            f"{folder / DOCUMENT}: cannot be written: {error.strerror}; make room or make it writable"
        ) from error


def replace_file(path: Path, content: bytes) -> None:
    """Put the whole content there or leave the old: written aside, on the disk, then renamed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
