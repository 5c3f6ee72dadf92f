"""Run a program of an image in its own root, as an ordinary user can: in a user and mount namespace of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import ArtifactError


def run_rooted(root: Path, argv: Sequence[str], *, environment: Mapping[str, str], limit_s: float) -> str:
    """What it prints. Raises :class:`ArtifactError` when it fails, or when the kernel allows no such namespace."""
    inside = [
        "unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", f"--root={root}",
        "--mount-proc=/proc", "--",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            [*inside, *argv], env=dict(environment), capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise ArtifactError(f"{argv[0]} in the image did not end within {limit_s:g} s") from None
    if done.returncode:
        raise ArtifactError(f"{' '.join(argv)} in the image: {done.stderr.strip()[-2000:]}")
    return done.stdout
