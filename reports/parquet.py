"""Every sample of a run as one Parquet file, for pandas, Polars, DuckDB and Spark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from idcbench.errors import RunError, UsageError
from idcbench.runs.directory import Run
from idcbench.runs.metrics import series_of

COLUMNS = ("metric", "labels", "unit", "better", "clock", "at_ns", "value")
ROWS = 1 << 18
MISSING = "Parquet needs pyarrow, which is not installed; type: pip install 'idcbench[parquet]'"


def write_parquet(run: Run, file: Path) -> None:
    """The rows of the CSV, typed: ``labels`` as a map, ``at_ns`` int64, ``value`` float64; a row group per series,
    or several of :data:`ROWS`.

    The file's metadata has ``idcbench.run``, the run's name. The whole file is there or none. Raises
    :class:`UsageError` without pyarrow, :class:`RunError` when the file cannot be written.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError(MISSING) from error
    schema = _schema(pyarrow).with_metadata({"idcbench.run": run.document().id})
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("wb") as sink, pyarrow.parquet.ParquetWriter(sink, schema) as writer:
            for shared, samples in _series(run):
                writer.write_table(_table(pyarrow, schema, shared, samples))
        draft.replace(file)
    except OSError as error:
        raise RunError(f"{file}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _schema(pyarrow: Any) -> Any:
    """Text that repeats in every row is kept once."""
    word = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    labels = pyarrow.map_(pyarrow.string(), pyarrow.string())
    kinds = (word, labels, word, word, word, pyarrow.int64(), pyarrow.float64())
    return pyarrow.schema(list(zip(COLUMNS, kinds, strict=True)))


def _series(run: Run) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """What all rows of a part of a series share, and its samples."""
    for (name, labels), (header, samples) in sorted(series_of(run.path).items()):
        for begin in range(0, len(samples), ROWS):
            yield (name, list(labels), header.unit, header.better, header.clock), samples[begin : begin + ROWS]


def _table(pyarrow: Any, schema: Any, shared: tuple[Any, ...], samples: Any) -> Any:
    columns = [
        pyarrow.repeat(pyarrow.scalar(value, type=field.type), len(samples))
        for value, field in zip(shared, schema, strict=False)
    ]
    columns += [pyarrow.array(samples[name].copy()) for name in ("at_ns", "value")]
    return pyarrow.table(columns, schema=schema)
