"""Kernels are there before a decision is wanted, and what has to be compiled is told."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from idcbench.cli.scheduler import scheduler
from idcbench.kube.access import Access
from idcbench.scheduler.core import kernels
from idcbench.scheduler.core.compiling import entry, telling
from idcbench.scheduler.core.keeping import cache_folder
from idcbench.scheduler.core.kernels import Warmed
from idcbench.scheduler.service.config import Configuration
from idcbench.scheduler.service.serving_process import Process
from idcbench.scheduler.service.settings import ServiceSettings

NOWHERE = "/proc/kernels"
"""A place where nobody, root neither, can make a folder."""


def double(number: int) -> int:
    return number + number


@pytest.fixture
def kept_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IDCBENCH_KERNELS", str(tmp_path))
    return tmp_path


@pytest.fixture
def process() -> Process:
    access = Access(server="http://127.0.0.1:1", kubeconfig=Path("x"))
    return Process(access, Configuration(), ServiceSettings(), seed=1)


def warm_calls(kernel: Any) -> Callable[[Callable[..., None]], None]:
    def call_all(call: Callable[..., None]) -> None:
        call(kernel, 1)

    return call_all


def test_no_decision_waits_for_what_was_not_warmed() -> None:
    """Every entry point has its one signature after warming; a varied workload calls all and adds none."""
    script = Path(__file__).with_name("deciding.py")
    done = subprocess.run([sys.executable, script, "80"], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    names = {kernel.py_func.__name__ for kernel in kernels.ENTRIES}
    assert found["warmed"] == dict.fromkeys(names, 1)
    assert found["late"] == found["warmed"]
    assert set(found["called"]) == names


def test_what_is_compiled_is_told_and_what_is_kept_is_not(kept_in: Path) -> None:
    heard: list[str] = []
    for _ in range(2):
        kernel = entry(double)
        with telling(lambda name, took_s: heard.append(f"{name} {took_s > 0}"), [kernel]):
            assert kernel(2) == 4
    assert heard == ["double True"]
    assert [path.suffix for path in sorted(cache_folder().iterdir())] == [".nbc", ".nbi"]
    assert cache_folder().parent == kept_in
    with telling(lambda name, _: heard.append(name), [kernel]):
        kernel(2.5)
    assert heard[1:] == ["double"]


def test_others_keep_their_kernels_where_they_did(kept_in: Path) -> None:
    from numba import njit  # type: ignore[attr-defined]

    entry(double)
    others = njit(cache=True)(double)
    assert not Path(others.stats.cache_path).is_relative_to(kept_in)


@pytest.mark.parametrize("place", [NOWHERE, None])
def test_a_kernel_that_cannot_be_kept_serves_all_the_same(
    place: str | None, kept_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDCBENCH_KERNELS", place or str(kept_in))
    kernel = entry(double)
    monkeypatch.setattr(kernels, "ENTRIES", (kernel,))
    monkeypatch.setattr(kernels, "_call_all", warm_calls(kernel))
    warmed = kernels.warm()
    assert warmed.compiled == ("double",)
    assert set(warmed.unkept) == ({"double"} if place else set())
    assert len(kernel.signatures) == 1


async def test_a_start_says_what_it_compiled_and_could_not_keep(
    process: Process, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("IDCBENCH_KERNELS", NOWHERE)
    kernel = entry(double)
    monkeypatch.setattr(kernels, "ENTRIES", (kernel,))
    monkeypatch.setattr(kernels, "_call_all", warm_calls(kernel))
    process.stop()
    with caplog.at_level(logging.INFO):
        await process.run()
    said = [(record.levelname, record.getMessage(), getattr(record, "kernel", "")) for record in caplog.records]
    assert ("WARNING", "kernel compiled because it was not in the cache", "double") in said
    assert ("WARNING", "kernel could not be kept: each start will compile it", "double") in said
    assert "idcbench_scheduler_compile_misses_total 1.0" in process.metrics.text().decode()


async def test_until_the_kernels_are_there_it_is_not_ready(process: Process) -> None:
    assert process.ready()["kernels"] == "they are being loaded"


def test_warming_ahead_fails_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "warm", lambda: Warmed(("put",), {"put": "[Errno 30] Read-only file system: 'x'"}))
    result = CliRunner().invoke(scheduler, ["warm"])
    assert result.exit_code != 0
    assert "Read-only file system" in str(result.exception)
    assert "XDG_CACHE_HOME" in str(result.exception)
