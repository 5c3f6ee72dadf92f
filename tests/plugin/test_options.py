"""The table of options: what each takes, and what is said of a value that it does not."""

from __future__ import annotations

from typing import Any

import pytest

from idcbench.options import OPTIONS, TARGET, Option, Settings, settings


def spell(option: Option) -> str:
    return option.pytest_flag


def test_defaults_of_the_table_and_of_the_settings_agree() -> None:
    nothing = Settings()
    for option in OPTIONS:
        assert getattr(nothing, option.dest) == option.default, option.name


def test_given_values_are_parsed_and_noted() -> None:
    got = settings({"nodes": "7", "kubernetes": "v1.36.2", "suite": ["a,b", "c"], "keep": True}, spell=spell)
    assert (got.nodes, got.kubernetes, got.suite, got.keep) == (7, "1.36.2", ("a", "b", "c"), True)
    assert got.given == {"nodes", "kubernetes", "suite", "keep"}


def test_the_specification_follows() -> None:
    spec = settings({"control_planes": "5", "profile": "fast", "name": "x", "shape": "bench"}, spell=spell).spec()
    assert (spec.control_planes, spec.profile, spec.name, spec.shape) == (5, "fast", "x", "bench")


@pytest.mark.parametrize(
    ("dest", "value", "said"),
    [
        ("control_planes", "2", "--idc-control-planes: 1, 3 or 5 is wanted"),
        ("nodes", "-1", "--idc-nodes: a whole number from 0 on is wanted"),
        ("nodes", "many", "found 'many'"),
        ("repeat", "0", "from 1 on"),
        ("scale", "0", "--idc-scale: a number above 0 and up to 1 is wanted, found '0'"),
        ("scale", "nan", "found 'nan'"),
        ("scale", "half", "found 'half'"),
        ("kubernetes", "latest", "--idc-kubernetes: a version such as 1.37"),
        ("profile", "slow", "one of fast, default, slow-disk is wanted, found 'slow'"),
        ("shape", "round", "one of full, bench"),
        ("name", "a/b", "--idc-name: up to 50 letters"),
        ("run_name", "..", "--idc-run-name"),
        ("kubeconfig", "", "a value is wanted"),
        ("suite", ["a,,b"], "--idc-suite"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_wanted(dest: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match="wanted") as caught:
        settings({dest: value}, spell=spell)
    assert said in str(caught.value)


def test_names_are_unique_and_become_python_names() -> None:
    dests = [option.dest for option in (TARGET, *OPTIONS)]
    assert len(dests) == len(set(dests))
    assert all(dest.isidentifier() for dest in dests)
