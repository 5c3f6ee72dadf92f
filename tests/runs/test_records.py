"""Record files: what is written comes back, whoever writes and wherever it is cut."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.errors import RunError
from idcbench.runs import probelog, records, series

DTYPES = [series.DTYPE, probelog.DTYPE]
STAMPS = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)), max_size=60)
WRITER = """
import struct, sys
from pathlib import Path
from idcbench.runs import records
path, writer, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
number = 0
while number != count:
    batch = b"".join(struct.pack("<qd", writer, number + index) for index in range(700))
    records.append(path, batch, record_bytes=16)
    number += 700
"""


@given(STAMPS, st.integers(0, 100))
def test_a_cut_file_loses_its_last_record_only(tmp_path_factory, written, cut) -> None:
    path = tmp_path_factory.mktemp("records") / "x.series"
    records.create(path, records.header_of(series.DTYPE, {}))
    offset = path.stat().st_size
    batch = np.array(written, dtype=series.DTYPE)
    records.append(path, batch.tobytes(), record_bytes=16)
    os.truncate(path, max(offset, path.stat().st_size - cut))
    whole = max(0, len(written) - -(-cut // 16))
    assert records.read(path).tolist() == batch[:whole].tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_records_and_headers_divide_a_page(tmp_path: Path, dtype: np.dtype) -> None:
    path = tmp_path / "x"
    header = records.create(path, records.header_of(dtype, {"name": "ä" * 77}))
    assert header.dtype == dtype
    assert records.read_header(path) == header
    assert 4096 % dtype.itemsize == 0
    assert path.stat().st_size % dtype.itemsize == 0


def test_a_width_that_does_not_divide_a_page_is_refused() -> None:
    with pytest.raises(ValueError, match="divides"):
        records.header_of(np.dtype([("a", "<i8"), ("b", "u1")]), {})


def test_a_torn_tail_is_cut_off_before_the_next_record(tmp_path: Path) -> None:
    path = tmp_path / "x"
    records.create(path, records.header_of(series.DTYPE, {}))
    records.append(path, np.array([(1, 1.0)], series.DTYPE).tobytes() + b"torn", record_bytes=16)
    records.append(path, np.array([(2, 2.0)], series.DTYPE).tobytes(), record_bytes=16)
    assert records.read(path)["value"].tolist() == [1.0, 2.0]


def test_one_header_stands_however_many_create_the_file_at_once(tmp_path: Path) -> None:
    headers = [records.header_of(series.DTYPE, {"by": number}) for number in range(16)]
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda header: records.create(tmp_path / "x", header), headers))
    assert len({header.about["by"] for header in found}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_two_processes_append_and_nothing_is_lost_or_mixed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    records.create(path, records.header_of(series.DTYPE, {}))
    writers = [_writer(path, number, 700 * 60) for number in (1, 2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    found = records.read(path)
    for number in (1, 2):
        assert found["value"][found["at_ns"] == number].tolist() == list(map(float, range(700 * 60)))
    assert len(found) == 2 * 700 * 60


def test_a_killed_writer_leaves_whole_records_and_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "x"
    records.create(path, records.header_of(series.DTYPE, {}))
    other = _writer(path, 2, 700 * 40)
    for _ in range(6):
        writer = _writer(path, 1, -1)
        size = path.stat().st_size
        while path.stat().st_size < size + 200_000:
            time.sleep(0.001)
        writer.send_signal(signal.SIGKILL)
        writer.wait(10)
    assert other.wait(60) == 0
    found = records.read(path)
    assert set(found["at_ns"].tolist()) == {1, 2}
    assert found["value"][found["at_ns"] == 2].tolist() == list(map(float, range(700 * 40)))
    steps = np.diff(found["value"][found["at_ns"] == 1])
    assert set(steps[steps != 1.0].tolist()) == set(steps[steps < 0].tolist())  # only a new writer begins anew


def test_an_empty_batch_is_nothing(tmp_path: Path) -> None:
    records.create(tmp_path / "x", records.header_of(series.DTYPE, {}))
    records.append(tmp_path / "x", b"", record_bytes=16)
    assert len(records.read(tmp_path / "x")) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said() -> None:
    with pytest.raises(RunError, match="No space left on device; make room"):
        records.append(Path("/dev/full"), b"x" * 16, record_bytes=16)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b'{"format":"idcbench-records/2","record_bytes":1,"fields":[],"about":{}}\n']
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(RunError, match="records"):
        records.read(tmp_path / "x")


def _writer(path: Path, number: int, count: int) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", WRITER, str(path), str(number), str(count)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdout.close()
    return process
