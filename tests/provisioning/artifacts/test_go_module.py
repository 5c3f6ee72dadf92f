"""The go.mod of a build, from the go.mod of the module that is built."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.provisioning.artifacts.go_module import go_needed, own_go_mod, staging_modules
from idcbench.provisioning.artifacts.recipes import RECIPES, link_flags

KUBERNETES = """\
module k8s.io/kubernetes

go 1.26.0

godebug default=go1.26

require (
	github.com/spf13/cobra v1.10.2
	k8s.io/api v0.0.0
	k8s.io/kube-openapi v0.0.0-20260721132016-d427ff9ee9ad
	k8s.io/kubectl v0.0.0
	k8s.io/utils v0.0.0-20260626114624-be93311217bd
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
)
"""


def test_only_what_lives_in_kubernetes_own_tree_is_replaced() -> None:
    assert staging_modules(KUBERNETES) == ["k8s.io/api", "k8s.io/kubectl"]
    assert own_go_mod(module="k8s.io/kubernetes", version="1.37.2", its_go_mod=KUBERNETES) == (
        "module idcbench.build/main\n"
        "go 1.26.0\n"
        "require k8s.io/kubernetes v1.37.2\n"
        "replace k8s.io/api => k8s.io/api v0.37.2\n"
        "replace k8s.io/kubectl => k8s.io/kubectl v0.37.2\n"
    )


def test_a_module_without_staging_modules_replaces_nothing() -> None:
    text = own_go_mod(module="sigs.k8s.io/kwok", version="0.8.0", its_go_mod="module sigs.k8s.io/kwok\n\ngo 1.26\n")
    assert "replace" not in text
    assert "go 1.26\n" in text


def test_a_go_mod_without_a_go_line_is_refused() -> None:
    with pytest.raises(ValueError, match="no go line"):
        go_needed("module x\n")


@given(names=st.sets(st.from_regex(r"k8s\.io/[a-z][a-z-]{0,20}", fullmatch=True), max_size=40))
def test_all_staging_modules_are_found_whatever_their_names(names: set[str]) -> None:
    text = "go 1.26.0\nrequire (\n" + "".join(f"\t{name} v0.0.0\n\t{name}-x v0.0.0-2026\n" for name in names) + ")\n"
    assert set(staging_modules(text)) == names


def test_kubernetes_is_stamped_with_its_version_in_both_places() -> None:
    flags = link_flags(RECIPES["kubernetes"], version="1.37.2", commit="", date="2026-10-27T12:01:04Z")
    assert flags.startswith("-s -w -X ")
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        assert f"-X {package}.gitVersion=v1.37.2 " in flags
        assert f"-X {package}.gitMajor=1 -X {package}.gitMinor=37 " in flags
        assert f"{package}.buildDate=2026-10-27T12:01:04Z" in flags


@pytest.mark.parametrize(("cores", "minutes"), [(1, 20), (2, 10), (64, 1)])
def test_the_time_a_build_takes_follows_from_the_cores(cores: int, minutes: int) -> None:
    assert RECIPES["kubernetes"].minutes(cores) == minutes
