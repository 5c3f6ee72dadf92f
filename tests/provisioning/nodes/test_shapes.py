"""Simulated nodes: dealt by their shares, spread over zones, one rack per twenty."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.errors import UsageError
from idcbench.provisioning.nodes.shapes import ZONES, deal, read_shapes


@given(st.integers(0, 1200))
def test_names_are_unique_and_zones_even(count: int) -> None:
    nodes = deal(count, read_shapes())
    assert len({node["metadata"]["name"] for node in nodes}) == count
    zones = Counter(node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes)
    assert max(zones.values(), default=0) - min(zones.values(), default=0) <= 1
    assert len(zones) == min(count, ZONES)


def test_shares_hold() -> None:
    shapes = read_shapes()
    whole = sum(shape.share for shape in shapes)
    dealt = Counter(node["metadata"]["labels"]["idcbench.io/shape"] for node in deal(10 * whole, shapes))
    assert dealt == {shape.name: 10 * shape.share for shape in shapes}


def test_a_gpu_is_a_resource_only_where_there_is_one() -> None:
    for node in deal(20, read_shapes()):
        gpu = node["status"]["allocatable"].get("nvidia.com/gpu")
        assert (gpu == "8") == (node["metadata"]["labels"]["idcbench.io/shape"] == "compute")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {name: a}", "missing required field `share`"),
        ("- {name: a, share: 1, cpu: '1', memory: 1Gi, pods: 9, disk: d, network: n, gpus: 1}", "gpus"),
        ("[", "node shapes"),
        ("[]", "add up to nothing"),
    ],
)
def test_a_wrong_file_is_named_with_its_field(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "shapes.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=said) as caught:
        read_shapes(file)
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_shapes(tmp_path / "none.yaml")
