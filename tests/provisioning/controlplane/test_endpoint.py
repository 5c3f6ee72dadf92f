"""The endpoint's configuration, judged by haproxy and keepalived themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from idcbench.choices import Profile
from idcbench.provisioning.controlplane.endpoint import EndpointHost, haproxy_config, keepalived_config
from idcbench.provisioning.controlplane.timers import PROFILES
from idcbench.provisioning.embedded.prerequisites import search_path


def hosts(count: int) -> list[EndpointHost]:
    return [EndpointHost(name=f"cp{i}", address=f"127.0.0.{i}", order=i) for i in range(1, count + 1)]


def program(name: str) -> str:
    found = shutil.which(name, path=search_path())
    assert found, f"{name} is missing; `make setup` installs it"
    return found


@pytest.mark.integration
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("count", [1, 3, 5])
def test_haproxy_accepts_its_configuration(profile: Profile, count: int, tmp_path: Path) -> None:
    members = hosts(count)
    file = tmp_path / "haproxy.cfg"
    file.write_text(
        haproxy_config(
            members, virtual_ip="127.0.0.100", timers=PROFILES[profile], own=members[0], socket=tmp_path / "s"
        )
    )
    done = subprocess.run([program("haproxy"), "-c", "-f", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


@pytest.mark.integration
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("count", [1, 3])
def test_keepalived_accepts_its_configuration(profile: Profile, count: int, tmp_path: Path) -> None:
    members = hosts(count)
    script = tmp_path / "check.sh"
    script.write_text("#!/bin/bash\n")
    script.chmod(0o700)
    file = tmp_path / "keepalived.conf"
    text = keepalived_config(
        members, virtual_ip="127.0.0.100", prefix=24, timers=PROFILES[profile], own=members[0], script=script
    )
    file.write_text(text)
    said = tmp_path / "said"
    # in a network of its own, since keepalived wants to see the interface
    test = f"ip link add name eth0 type bridge && exec {program('keepalived')} --config-test={said} -f {file}"
    subprocess.run(["unshare", "-Urn", "sh", "-c", test], check=False, env={"PATH": search_path()})
    # the script lies below the user's own folders, which keepalived would rather have root's
    complaints = [line for line in said.read_text().splitlines() if "SECURITY VIOLATION" not in line]
    assert not [line for line in complaints if "NOTICE" not in line], complaints


def test_any_host_with_a_haproxy_goes_before_any_without() -> None:
    members = hosts(5)
    texts = [
        keepalived_config(
            members, virtual_ip="10.0.0.9", prefix=24, timers=PROFILES["default"], own=one, script=Path("/x")
        )
        for one in members
    ]
    priorities = [int(re.findall(r"priority (\d+)", text)[0]) for text in texts]
    weight = int(re.findall(r"weight (-\d+)", texts[0])[0])
    assert max(priorities) + weight < min(priorities)
    assert min(priorities) + weight > 0, "priority 0 is reserved: a master that gives up"
    assert max(priorities) < 255, "priority 255 is the owner of the address"


def test_a_host_is_no_peer_of_its_own() -> None:
    members = hosts(3)
    text = keepalived_config(
        members, virtual_ip="10.0.0.9", prefix=24, timers=PROFILES["fast"], own=members[1], script=Path("/x")
    )
    peers = re.findall(r"unicast_peer \{([^}]*)\}", text)[0].split()
    assert peers == ["127.0.0.1", "127.0.0.3"]
