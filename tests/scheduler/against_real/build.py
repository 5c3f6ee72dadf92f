"""The Go program of scheduler/reference, built from the modules of a Kubernetes release and kept by its sources."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from idcbench.provisioning.artifacts.go_module import own_go_mod
from idcbench.provisioning.artifacts.go_tool import Go, environment, find_go
from idcbench.provisioning.artifacts.recipes import RECIPES, link_flags

VERSION = "1.37.2"
"""The release whose scheduler is the measure: that of the embedded target."""

SOURCES = Path(__file__).parents[3] / "scheduler" / "reference"
_BUILD_TIMEOUT_S = 1800.0


def reference_scheduler(version: str = VERSION) -> Path:
    """The program for a release, built when its sources or the release are new: minutes then, nothing later.

    Raises ``RuntimeError`` with the compiler's last words, and WayFailedError when there is no Go.
    """
    folder = _cache() / f"reference-scheduler-{version}-{_digest()}"
    program = folder / "reference-scheduler"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _build(folder, program, version)
    return program


def _build(folder: Path, program: Path, version: str) -> None:
    go = find_go()
    module = f"k8s.io/kubernetes@v{version}"
    answer = json.loads(_run(go, ["mod", "download", "-json", module], folder))
    its_go_mod = Path(answer["GoMod"]).read_text()
    (folder / "go.mod").write_text(own_go_mod(module="k8s.io/kubernetes", version=version, its_go_mod=its_go_mod))
    for source in SOURCES.glob("*.go"):
        shutil.copy(source, folder)
    stamps = link_flags(RECIPES["kubernetes"], version=version, commit="0" * 40, date="1970-01-01T00:00:00Z")
    print(f"building the reference scheduler from {module} (some minutes)", file=sys.stderr)
    built = folder / "unfinished"
    _run(go, ["build", "-trimpath", "-buildvcs=false", "-ldflags", stamps, "-o", str(built), "."], folder)
    built.rename(program)


def _run(go: Go, arguments: Sequence[str], folder: Path) -> str:
    done = subprocess.run(
        [str(go.path), *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=_BUILD_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"`go {arguments[0]}` in {folder} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def _digest() -> str:
    digest = hashlib.sha256()
    for source in sorted(SOURCES.glob("*.go")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "idcbench"
