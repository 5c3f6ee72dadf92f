"""The suite as a whole: what every check says about itself, and that the documentation has them all."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
FEWEST, FEWEST_NEGATIVE = 60, 15
SUBJECTS = {
    "admission", "audit", "certificates", "configuration", "cron_jobs", "custom_resources", "daemon_sets",
    "deployments", "drain", "garbage_collection", "high_availability", "jobs", "namespaces", "networking",
    "pagination", "priority", "quotas", "rbac", "scheduling", "server_side_apply", "stateful_sets", "storage",
    "tokens", "watch",
}  # fmt: skip


@pytest.fixture(scope="module")
def listing() -> ModuleType:
    """scripts/functional_checks.py, which is no package."""
    spec = importlib.util.spec_from_file_location("functional_checks", ROOT / "scripts" / "functional_checks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_check_says_what_it_proves_in_a_sentence(listing: ModuleType) -> None:
    for module in listing.modules():
        for check in listing.checks(module):
            provable = ("kubelet",) if "real-pods" in check.needs else ("api", "controller")
            assert check.proves in provable, f"{module.__name__}.{check.name}: nodes may be simulated"
            assert check.title.endswith("."), f"{module.__name__}.{check.name}: its docstring begins with no sentence"
            assert check.title[0].isupper()


def test_there_are_enough_checks_of_every_subject(listing: ModuleType) -> None:
    checks = [check for module in listing.modules() for check in listing.checks(module)]
    assert len(checks) >= FEWEST
    assert sum(check.negative for check in checks) >= FEWEST_NEGATIVE
    assert len({check.title for check in checks}) == len(checks), "two checks say the same"
    assert {module.__name__.rpartition(".test_")[2] for module in listing.modules()} >= SUBJECTS


def test_the_documentation_lists_every_check(listing: ModuleType) -> None:
    document = listing.DOCUMENT.read_text()
    assert document == listing.with_table(document), "run scripts/functional_checks.py"
