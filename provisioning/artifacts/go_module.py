"""The go.mod of a build: pure text, made from the go.mod of the module that is built."""

from __future__ import annotations

import re

_GO = re.compile(r"^go (\d+\.\d+(?:\.\d+)?)\s*$", re.MULTILINE)
_STAGING = re.compile(r"^\s*(?:require\s+)?(k8s\.io/\S+) v0\.0\.0\s*$", re.MULTILINE)


def go_needed(go_mod: str) -> str:
    """The Go version that a module asks for: ``1.26.0``. Raises ``ValueError`` when it names none."""
    if found := _GO.search(go_mod):
        return found[1]
    raise ValueError("go.mod has no go line")


def staging_modules(go_mod: str) -> list[str]:
    """The modules that live in Kubernetes' own tree: those that its go.mod names at exactly ``v0.0.0``.

    A version such as ``v0.0.0-20260721132016-d427ff9ee9ad`` is a real one of another repository and stays.
    """
    return _STAGING.findall(go_mod)


def own_go_mod(*, module: str, version: str, its_go_mod: str) -> str:
    """A go.mod for a main module that builds from ``module`` at ``version`` (``1.37.2``).

    Kubernetes 1.x.y publishes its staging modules as v0.x.y, and replaces them by folders of its tree; replacements
    hold in the main module only, so here each is replaced by what was published.
    """
    lines = ["module idcbench.build/main", f"go {go_needed(its_go_mod)}", f"require {module} v{version}"]
    published = f"v0.{version.partition('.')[2]}"
    lines += [f"replace {name} => {name} {published}" for name in staging_modules(its_go_mod)]
    return "\n".join(lines) + "\n"
