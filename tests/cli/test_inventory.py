"""``idcbench inventory init``: what it writes is read again, and what it refuses leaves no file."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.cli.main import main
from idcbench.hosts.inventory_file import read_inventory

THREE = ["--control-plane=10.0.0.11", "--control-plane=10.0.0.12", "--control-plane=10.0.0.13"]


@pytest.mark.parametrize(
    ("endpoint", "found"),
    [(["--endpoint=10.0.0.100"], ("keepalived", "10.0.0.100")), ([], ("local-lb", "127.0.0.1"))],
)
def test_what_is_written_is_read_again(tmp_path: Path, endpoint: list[str], found: tuple[str, str]) -> None:
    file = tmp_path / "inventory.yaml"
    assert main(["inventory", "init", *THREE, "--worker=10.0.0.21", *endpoint, "-o", str(file)]) == 0
    inventory = read_inventory(file)
    assert (inventory.endpoint.mode, inventory.endpoint.address) == found
    assert [host.name for host in inventory.hosts] == ["cp1", "cp2", "cp3", "w1"]
    named = next(word for word in file.read_text().split() if word.startswith("docs/"))
    assert (Path(__file__).parents[2] / named).exists()


def test_an_even_number_of_control_planes_is_not_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "inventory.yaml"
    assert main(["inventory", "init", *THREE[:2], "-o", str(file)]) != 0
    assert "an odd number of control planes is wanted" in capsys.readouterr().err
    assert not file.exists()
