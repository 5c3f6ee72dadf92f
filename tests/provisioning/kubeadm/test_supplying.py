"""Files on their way to a host: whole, or not there."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from idcbench.provisioning.kubeadm.supplying import UNPACK, tar

FILES = {"one": b"1" * 3000, "two.deb": b"2" * 700}


def unpack(folder: Path, stream: bytes) -> int:
    return subprocess.run(["sh", "-c", UNPACK, "unpack", str(folder)], input=stream, check=False).returncode


@given(st.integers(0, 7000))
def test_a_stream_that_is_cut_off_leaves_no_part_of_a_file_and_can_be_sent_again(length: int) -> None:
    whole = b"".join(tar((name, 0o600, len(content), [content]) for name, content in FILES.items()))
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text) / "blobs"
        unpack(folder, whole[:length])
        assert all(file.read_bytes() == FILES[file.name] for file in folder.iterdir())
        assert unpack(folder, whole) == 0
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == FILES
        assert not folder.with_name("blobs.new").exists()
