"""The script that hosts are asked by, run on this machine: what it says is so, it says it once, and changes nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from idcbench.provisioning.facts.facts import Facts, FactsError, parse_facts

SCRIPT = files("idcbench.provisioning.facts") / "collect.sh"


def collect(*paths: str) -> Facts:
    done = subprocess.run(["sh", "-s", "--", *paths], input=SCRIPT.read_bytes(), capture_output=True, timeout=60)
    return parse_facts(done.stdout.decode(errors="replace"))


def test_what_it_says_of_this_machine_is_so() -> None:
    facts = collect()
    assert facts.one("kernel") == platform.release()
    assert facts.one("hostname") == platform.node()
    assert facts.number("cores") == len(os.sched_getaffinity(0))
    assert facts.one("init") == Path("/proc/1/comm").read_text().strip()
    assert facts.sysctls["kernel.panic"] == Path("/proc/sys/kernel/panic").read_text().strip()
    assert facts.disks["/"].mount == "/"
    assert set(facts.disks) == set(facts.pairs("disk_size")) == set(facts.pairs("inodes"))
    for place, disk in facts.disks.items():
        assert disk.free_bytes <= int(facts.pairs("disk_size")[place]) * 1024
    assert facts.addresses["lo"]
    for name, path in facts.pairs("program").items():
        assert name in path


def test_files_are_told_with_digest_mode_and_owner(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.write_bytes(b"content")
    file.chmod(0o640)
    found = collect(str(file), str(tmp_path / "missing")).files
    assert list(found) == [str(file)]
    assert found[str(file)].mode == 0o640
    assert found[str(file)].sha256 == "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"


def test_it_needs_little_and_is_whole_without_the_rest(tmp_path: Path) -> None:
    """With coreutils, grep, sed, awk and iproute2 alone: no systemctl, no dpkg, no Python."""
    for name in ("awk", "cat", "date", "df", "dirname", "grep", "head", "id", "ip", "ls", "nproc", "sed", "sha256sum",
                 "sort", "stat", "uname", "wc", "cut", "env", "getent"):  # fmt: skip
        at = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True).stdout.strip()
        (tmp_path / name).symlink_to(at)
    script = SCRIPT.read_text().splitlines()
    assert any(line.startswith("export LC_ALL=C PATH=") for line in script)
    alone = "\n".join(
        f"export LC_ALL=C PATH={tmp_path}" if line.startswith("export LC_ALL") else line for line in script
    )
    done = subprocess.run(["sh", "-s"], input=alone, capture_output=True, text=True, timeout=60)
    facts = parse_facts(done.stdout)
    assert facts.one("kernel") == platform.release()
    assert not facts.units
    assert not facts.packages
    assert "python3" not in facts.pairs("program")


def test_an_answer_that_is_cut_is_none() -> None:
    with pytest.raises(FactsError):
        parse_facts("kernel=6.1\ncores=4\n")
