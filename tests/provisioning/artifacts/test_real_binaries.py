"""The real thing: whatever way works on this machine, in the end every program runs."""

from __future__ import annotations

import time

import pytest

from idcbench.provisioning.artifacts import provide
from idcbench.provisioning.artifacts.parts import BINARIES, ask_version


@pytest.mark.integration
def test_every_program_runs_and_says_its_version() -> None:
    got = provide("1.37")
    assert got.kubernetes.startswith("1.37.")
    assert {ask_version(got.folder / name) for name in BINARIES["kubernetes"]} == {got.kubernetes}
    assert ask_version(got.folder / "etcd") == got.etcd
    assert ask_version(got.folder / "kwok") == got.kwok
    began = time.perf_counter()
    assert provide("1.37") == got
    assert time.perf_counter() - began < 1  # 1 ms; the digests of 260 MB would take longer
