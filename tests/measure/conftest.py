"""A little API server in a process of its own, that tests may freeze, break and kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from idcbench.kube.access import Access


class LittleServer:
    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "little_apiserver.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        self.access = Access(server=self.url, kubeconfig=folder / "kubeconfig")

    def misbehave(self, **how: str) -> None:
        query = "&".join(f"{key}={value}" for key, value in how.items())
        request = urllib.request.Request(f"{self.url}/break?{query}", method="POST")
        urllib.request.urlopen(request, timeout=5).close()

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/state", timeout=5) as answer:
            state: dict[str, Any] = json.load(answer)
            return state

    @contextmanager
    def frozen(self) -> Iterator[None]:
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    def freeze_for(self, seconds: float) -> int:
        """Freeze it for that long; when it began."""
        with self.frozen():
            began_ns = time.monotonic_ns()
            time.sleep(seconds)
        return began_ns

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(5)


@pytest.fixture
def little_server(tmp_path: Path) -> Iterator[LittleServer]:
    server = LittleServer(tmp_path)
    try:
        yield server
    finally:
        server.close()
