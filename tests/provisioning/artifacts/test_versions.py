"""Versions: what is accepted, and what a refusal names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.errors import UsageError
from idcbench.provisioning.artifacts.versions import ETCD, LATEST_PATCH, resolve


@pytest.mark.parametrize(
    ("asked", "kubernetes", "patch_given"),
    [("1.37", "1.37.2", False), ("v1.37", "1.37.2", False), ("1.37.0", "1.37.0", True), (" v1.34.4 ", "1.34.4", True)],
)
def test_a_version_is_completed(asked: str, kubernetes: str, patch_given: bool) -> None:
    versions = resolve(asked)
    assert (versions.kubernetes, versions.patch_given) == (kubernetes, patch_given)
    assert versions.known
    assert versions.etcd == ETCD[versions.minor]


@pytest.mark.parametrize("asked", ["1.99", "abc", "", "1", "1.37.2.1", "1.37.x", "1.33.4", "2.0"])
def test_what_does_not_exist_is_refused_with_what_does(asked: str) -> None:
    with pytest.raises(UsageError, match=r"1\.37 \(to 1\.37\.2\)"):
        resolve(asked)


def test_a_patch_newer_than_the_table_is_for_the_sources_to_judge() -> None:
    assert not resolve("1.37.99").known


@given(minor=st.sampled_from(sorted(LATEST_PATCH)), patch=st.integers(0, 200))
def test_a_full_version_is_never_changed(minor: str, patch: int) -> None:
    versions = resolve(f"{minor}.{patch}")
    assert versions.kubernetes == f"{minor}.{patch}"
    assert versions.minor == minor
    assert versions.known == (patch <= LATEST_PATCH[minor])


@given(st.text())
def test_any_text_resolves_or_is_a_usage_error(text: str) -> None:
    try:
        minor = resolve(text).minor
    except UsageError:
        return
    assert minor in LATEST_PATCH
