"""A Go program of our own, of the standard library alone: built from its sources, kept by what they are."""

from __future__ import annotations

import fcntl
import hashlib
import re
import subprocess
from pathlib import Path

from ...errors import ArtifactError
from ...progress import Progress, silent
from .failure import WayFailedError, writing
from .go_tool import environment, find_go
from .options import default_cache

_BUILD_LIMIT_S = 300.0
_GO_LINE = re.compile(r"^go (\S+)", re.MULTILINE)


def own_program(sources: Path, *, cache: Path | None = None, progress: Progress = silent) -> Path:
    """The program whose Go files and go.mod are in ``sources``; built when there is none of just these files.

    Some seconds then, nothing later. Two processes may ask at once. Raises
    :class:`~idcbench.errors.ArtifactError` with what to do when there is no Go, or with the compiler's words.
    """
    folder = (cache or default_cache()) / "own" / f"{sources.name}-{_digest(sources)}"
    program = folder / sources.name
    if program.exists():
        return program
    with writing(folder, what=f"for {sources.name}"):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not program.exists():
                progress(f"compiling {sources.name}")
                _build(sources, program)
    return program


def _build(sources: Path, program: Path) -> None:
    try:
        go = find_go()
        go.check(_go_needed(sources))
    except WayFailedError as failure:
        raise ArtifactError(f"{program.name} is a Go program: {failure.reason}; {failure.remedy}") from failure
    unfinished = program.with_suffix(".new")
    done = subprocess.run(
        [str(go.path), "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", str(unfinished), "."],
        cwd=sources,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=_BUILD_LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise ArtifactError(f"`go build` in {sources} ended with {done.returncode}: {done.stderr[-2000:].strip()}")
    unfinished.rename(program)


def _go_needed(sources: Path) -> str:
    found = _GO_LINE.search((sources / "go.mod").read_text())
    if found is None:
        raise ArtifactError(f"{sources / 'go.mod'}: a line such as `go 1.21` is wanted")
    return found[1]


def _digest(sources: Path) -> str:
    digest = hashlib.sha256()
    for source in sorted([*sources.glob("*.go"), sources / "go.mod"]):
        if not source.name.endswith("_test.go"):
            digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]
