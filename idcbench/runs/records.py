"""Record files: one line of JSON, padded, and after it fixed-width little-endian records that are only appended.

``numpy.memmap`` reads them. A record's width divides 4096 and so does the header's granularity: the kernel copies a
write page by page, so a writer that is killed in the middle leaves whole records, and other processes that append to
the same file stay aligned. A file that lost its end otherwise loses its last record only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import numpy.typing as npt

from ..errors import RunError

FORMAT = "idcbench-records/1"
UNREADABLE = (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading a file as JSON may raise, whatever is in it."""
_HEADER_STEP_BYTES = 64
_PAGE_BYTES = 4096


class Field(msgspec.Struct, frozen=True, array_like=True):
    """One field of a record: its name, numpy's name of its type, and where in the record it begins."""

    name: str
    type: str
    offset: int


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a record file. ``about`` says what the records are; its keys belong to who writes them."""

    format: str = FORMAT
    record_bytes: int
    fields: tuple[Field, ...]
    about: dict[str, Any]

    @property
    def dtype(self) -> np.dtype[np.void]:
        return np.dtype(
            {
                "names": [field.name for field in self.fields],
                "formats": [field.type for field in self.fields],
                "offsets": [field.offset for field in self.fields],
                "itemsize": self.record_bytes,
            }
        )


def header_of(dtype: np.dtype[np.void], about: dict[str, Any]) -> Header:
    """The header for records of ``dtype``. Raises ``ValueError`` when its width does not divide a page."""
    if dtype.fields is None or _PAGE_BYTES % dtype.itemsize:
        raise ValueError(f"{dtype}: records have fields, and a width that divides {_PAGE_BYTES}")
    fields = tuple(Field(name, dtype.fields[name][0].str, dtype.fields[name][1]) for name in dtype.names or ())
    return Header(record_bytes=dtype.itemsize, fields=fields, about=about)


def create(path: Path, header: Header) -> Header:
    """Make the file with its header, in one step; when it is there already, return the header that it has.

    However many processes do this at once, one header stands, whole. Raises :class:`RunError`.
    """
    if path.exists():
        return read_header(path)
    line = msgspec.json.encode(header)
    padding = -(len(line) + 1) % _HEADER_STEP_BYTES
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        path.parent.mkdir(exist_ok=True)
        draft.write_bytes(line + b" " * padding + b"\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            return read_header(path)
        finally:
            draft.unlink()
    except OSError as error:
        raise RunError(
            f"{path}: cannot be written: {error.strerror}; choose a run directory that is writable"
        ) from error
    return header


def append(path: Path, records: bytes, *, record_bytes: int) -> None:
    """Append whole records in one write. Raises :class:`RunError` when the disk does not take them all."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            torn = os.fstat(descriptor).st_size % record_bytes  # the header's length is a multiple of it
            if torn:
                os.ftruncate(descriptor, os.fstat(descriptor).st_size - torn)
            written = os.write(descriptor, records) if records else 0
        finally:
            os.close(descriptor)
    except OSError as error:
        raise RunError(f"{path}: cannot be appended to: {error.strerror}; make room or choose another disk") from error
    if written != len(records):
        lost = -(-(len(records) - written) // record_bytes)
        raise RunError(
            f"{path}: the disk is full, {lost} of {len(records) // record_bytes} records were lost; make room"
        )


def read_header(path: Path) -> Header:
    """The header of a record file. Raises :class:`RunError` when it is none of ours, or of a newer format."""
    try:
        with path.open("rb") as file:
            line = file.readline()
        header = msgspec.json.decode(line, type=Header)
        if header.format != FORMAT:
            raise RunError(
                f"{path}: format {header.format}, known is {FORMAT}; read it with the idcbench that wrote it"
            )
        if header.dtype.hasobject or header.record_bytes <= 0:
            raise ValueError("its records are no plain numbers")
    except (*UNREADABLE, TypeError, ValueError, OverflowError) as error:
        raise RunError(f"{path}: not a file of records: {error}") from error
    return header


def read(path: Path) -> npt.NDArray[np.void]:
    """All whole records, mapped read-only from the file; a torn last one is left out. Raises :class:`RunError`."""
    header = read_header(path)
    with path.open("rb") as file:
        offset = len(file.readline())
    count = (path.stat().st_size - offset) // header.record_bytes
    if count <= 0:
        return np.empty(0, dtype=header.dtype)
    mapped = np.memmap(path, dtype=header.dtype, mode="r", offset=offset, shape=(count,))
    return cast("npt.NDArray[np.void]", mapped)
