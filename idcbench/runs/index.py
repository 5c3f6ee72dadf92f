"""What the run.json files under a folder say, kept in one SQLite file so that thousands are not read each time.

It is made on demand and never needed: it may be deleted at any time, what it holds counts only while run.json has the
size, time and inode it was read with, and where it cannot be read or written the files themselves are read.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from .document import DOCUMENT, read_document
from .schema import RunDocument, json_schema

FILE = "index.sqlite3"
Reader = Callable[[Path], RunDocument]
_Stamp = tuple[int, int, int]
_WAIT_S = 2.0
_TABLE = "CREATE TABLE IF NOT EXISTS runs (path TEXT PRIMARY KEY, size, mtime_ns, inode, document BLOB) WITHOUT ROWID"


@contextmanager
def indexed(root: Path) -> Iterator[Reader]:
    """A :func:`~idcbench.runs.document.read_document` of run directories under ``root`` that remembers.

    Its documents are whole but for ``checks``, which are most of a run.json. What it had to read anew is written down
    at the end, in one transaction, so that any number of processes may do so.
    """
    known = _load(root / FILE)
    fresh: dict[str, tuple[_Stamp, bytes]] = {}

    def read(folder: Path) -> RunDocument:
        key, stamp = f"{folder.parent.name}/{folder.name}", _stamp(folder)
        if stamp is not None and key in known and known[key][0] == stamp:
            try:
                return msgspec.msgpack.decode(known[key][1], type=RunDocument)
            except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
                pass  # what is no document is read anew
        document = msgspec.structs.replace(read_document(folder), checks=())
        if stamp is not None and stamp == _stamp(folder):
            fresh[key] = stamp, msgspec.msgpack.encode(document)
        return document

    yield read
    gone = [key for key in known if _stamp(root / key) is None]
    if fresh or gone:
        _save(root / FILE, fresh, gone)


def _stamp(folder: Path) -> _Stamp | None:
    try:
        found = (folder / DOCUMENT).stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _version() -> int:
    """Another one for each shape of the document: one that an older idcbench wrote would lack fields."""
    return zlib.crc32(msgspec.json.encode(json_schema())) & 0x7FFFFFFF


def _load(file: Path) -> dict[str, tuple[_Stamp, bytes]]:
    try:
        if not file.is_file():
            return {}
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)) as database:
            if database.execute("PRAGMA user_version").fetchone() != (_version(),):
                return {}
            rows = database.execute("SELECT path, size, mtime_ns, inode, document FROM runs").fetchall()
    except (OSError, sqlite3.Error):
        return {}
    return {str(path): ((size, mtime_ns, inode), bytes(document)) for path, size, mtime_ns, inode, document in rows}


def _save(file: Path, fresh: dict[str, tuple[_Stamp, bytes]], gone: list[str]) -> None:
    """Write down what was read; a file that is no index is replaced, and where none can be written there is none."""
    try:
        _write(file, fresh, gone)
    except sqlite3.OperationalError:  # locked for long, read-only, full
        return
    except sqlite3.DatabaseError:  # damaged
        try:
            file.unlink(missing_ok=True)
            _write(file, fresh, gone)
        except (OSError, sqlite3.Error):
            return


def _write(file: Path, fresh: dict[str, tuple[_Stamp, bytes]], gone: list[str]) -> None:
    with closing(sqlite3.connect(file, timeout=_WAIT_S, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        if database.execute("PRAGMA user_version").fetchone() != (_version(),):
            database.execute("DROP TABLE IF EXISTS runs")
            database.execute(f"PRAGMA user_version = {_version()}")
        database.execute(_TABLE)
        database.executemany("DELETE FROM runs WHERE path = ?", [(key,) for key in gone])
        rows = [(key, *stamp, document) for key, (stamp, document) in fresh.items()]
        database.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)", rows)
        database.execute("COMMIT")
