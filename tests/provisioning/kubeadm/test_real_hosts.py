"""The real thing: bare hosts in containers become a cluster by one command, from a bundle, and are left as they were.

The tests build on each other: making a cluster takes a minute, so there is one for all.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idcbench.hosts.fleet import fleet
from idcbench.hosts.inventory_file import read_inventory
from idcbench.progress import silent
from idcbench.provisioning.artifacts import SourceOptions, provide
from idcbench.provisioning.artifacts.bundle import Bundle
from idcbench.provisioning.artifacts.bundle_create import Wish, create
from idcbench.provisioning.controlplane.timers import PROFILES
from idcbench.provisioning.embedded.prerequisites import search_path
from idcbench.provisioning.lab.lab import Lab
from idcbench.provisioning.lab.spec import LabSpec

pytestmark = [
    pytest.mark.integration,
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(shutil.which("dockerd", path=search_path()) is None, reason="needs a Docker engine"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt to make a bundle"),
]
UP_S = 900
Manifest = dict[str, Any]
SNAPSHOT = r"""
dpkg-query -W
find / -xdev \( -type f -o -type l \) 2>/dev/null | sort
find /etc /opt /usr/local /var/lib -xdev -type f -newer /run/idcbench-test 2>/dev/null | sort
awk '{ print $2, $3 }' /proc/mounts | sort
ip -br link | sed 's/@.*//' | sort
systemctl list-unit-files --no-legend --state=enabled
"""
KEPT = ("/var/log/", "/var/lib/ucf/", "/var/lib/dpkg/", "/var/cache/", "/var/tmp/", "/run/", "/proc/", "/sys/", "/tmp/",
        "/var/lib/systemd/")  # fmt: skip
"""What the host's own tools write down of what was done, as they do of everything."""


class Room:
    """Two hosts, the inventory that names them, and the command."""

    def __init__(self, lab: Lab, bundle: Path) -> None:
        self.lab = lab
        self.bundle = bundle
        self.inventory = lab.files.inventory
        self.before = {name: self.snapshot(name) for name in ("cp1", "w1")}

    def command(self, *argv: str) -> list[str]:
        return [sys.executable, "-P", "-m", "idcbench.cli.main", *argv]

    def idcbench(self, *argv: str, code: int = 0) -> str:
        folder = self.bundle.parent
        done = subprocess.run(
            self.command(*argv), cwd=folder, capture_output=True, text=True, timeout=UP_S, check=False
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self, *more: str, code: int = 0) -> str:
        return self.idcbench("up", str(self.inventory), "--bundle", str(self.bundle), *more, code=code)

    def snapshot(self, host: str) -> set[str]:
        return {line for line in self.exec(host, SNAPSHOT).splitlines() if not line.startswith(KEPT)}

    def exec(self, host: str, script: str) -> str:
        """On the host itself, past the network."""
        return self.idcbench("lab", "exec", "--name", self.lab.name, host, "--", "sh", "-c", script)

    def image(self, part: str) -> str:
        return Bundle.open(self.bundle).image(part).name

    def kubectl(self, *argv: str, content: str = "") -> str:
        """As an administrator does from his own machine."""
        kubeconfig = self.bundle.with_name("kubeconfig")
        if not kubeconfig.exists():
            self.idcbench("kubeconfig", str(self.inventory), "-o", str(kubeconfig))
        line = [str(provide("1.37").folder / "kubectl"), f"--kubeconfig={kubeconfig}", *argv]
        return subprocess.run(line, input=content, capture_output=True, text=True, timeout=90, check=True).stdout

    def apply(self, *objects: Manifest) -> None:
        self.kubectl("apply", "-f", "-", content=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def get(self, *what: str) -> list[Manifest]:
        found: list[Manifest] = json.loads(self.kubectl("get", *what, "-o", "json"))["items"]
        return found


def pod(name: str, node: str, image: str, *arguments: str) -> Manifest:
    """A pod that pod security lets in, on that very node."""
    container = {
        "name": "it", "image": image, "args": list(arguments),
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
                            "seccompProfile": {"type": "RuntimeDefault"}},
    }  # fmt: skip
    spec = {"nodeName": node, "restartPolicy": "OnFailure", "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def service(name: str) -> Manifest:
    spec = {"selector": {"app": name}, "ports": [{"port": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        bundle = tmp_path_factory.mktemp("bundle") / "room.bundle"
        create(Wish(kubernetes="1.37", distributions=["debian-12"], options=SourceOptions()), bundle, progress=silent)
        lab = Lab(f"room-{os.getpid()}")
        try:
            lab.up(LabSpec(hosts=2, control_planes=1, cpus=2, memory="3g"), setup_runtime=True)
            yield Room(lab, bundle)
        finally:
            lab.down()


async def test_a_host_lets_many_commands_in_at_once(room: Room) -> None:
    """sshd allows ten sessions, and takes one that has just ended for one that is still there."""
    async with fleet(read_inventory(room.inventory), only=["w1"]) as reached:
        done = await asyncio.gather(*(reached["w1"].run("true") for _ in range(200)))
    assert {each.exit_code for each in done} == {0}


def test_a_plan_alone_changes_nothing(room: Room) -> None:
    said = room.up("--dry-run")
    assert "plan: cp1: make the first control plane of cluster" in said
    assert "nothing was changed" in said
    assert room.snapshot("cp1") == room.before["cp1"]


def test_a_driver_that_is_killed_leaves_steps_that_the_next_run_waits_for_and_goes_on_from(room: Room) -> None:
    line = room.command("up", str(room.inventory), "--bundle", str(room.bundle))
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        assert any("remember done" in said for said in driver.stdout)
        driver.send_signal(signal.SIGKILL)
    said = room.up()
    assert "cluster: 2 nodes ready, etcd has 1 members" in said
    assert {node["metadata"]["name"] for node in room.get("nodes")} == {"cp1", "w1"}


def test_again_changes_nothing(room: Room) -> None:
    said = room.up()
    assert "plan: nothing to do" in said
    assert "nothing to do" in said.splitlines()[-3]


def test_pods_talk_across_hosts_by_the_name_of_a_service_and_say_so_in_their_log(room: Room) -> None:
    """Through the overlay, kube-proxy and DNS; the log comes from a kubelet whose certificate the cluster signed."""
    room.apply(pod("web", "w1", room.image("podtool"), "serve"), service("web"))
    room.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    room.apply(pod("client", "cp1", room.image("podtool"), "fetch", "http://web.default.svc:8080/"))
    room.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/client", "--timeout=60s")
    assert room.kubectl("logs", "client").strip()


def test_a_pod_that_would_touch_its_host_is_refused_and_nobody_anonymous_gets_in(room: Room) -> None:
    privileged = pod("bad", "w1", room.image("podtool"), "serve")
    privileged["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    with pytest.raises(subprocess.CalledProcessError) as caught:
        room.apply(privileged)
    assert "violates PodSecurity" in caught.value.stderr
    server = room.kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    assert urllib.request.urlopen(f"{server}/readyz", context=context, timeout=5).status == 200
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{server}/api", context=context, timeout=5)


def test_the_suites_checks_of_real_pods_and_hosts_pass_on_it(room: Room) -> None:
    checks = ("pod_networking", "pod_access", "pod_lives", "pod_volumes", "pod_registry", "test_hosts")
    said = room.idcbench("run", str(room.inventory), "--suite", "functional", "-k", " or ".join(checks))
    [run] = (room.bundle.parent / ".idcbench" / f"idc-{room.lab.name}").glob("0*/run.json")
    document = json.loads(run.read_text())
    assert document["tests"]["passed"] >= 30, said
    skipped = {check["reason"] for check in document["checks"] if check["outcome"] == "skipped"}
    assert all("network-policy" in reason or "two nodes that take pods" in reason for reason in skipped), skipped


def test_status_says_how_each_host_does(room: Room) -> None:
    said = room.idcbench("status", str(room.inventory))
    assert said.count("ready") == 2
    assert said.count("leads") == 1
    assert said.count("here") == 1


def test_a_worker_leaves_comes_again_and_is_kept_out_when_it_was_removed_without_power(room: Room) -> None:
    lab, name = ("lab", "--name", room.lab.name), "w1"
    room.idcbench("node", "remove", str(room.inventory), name, "--bundle", str(room.bundle))
    assert room.snapshot(name) == room.before[name]
    room.idcbench("node", "add", str(room.inventory), name, "--bundle", str(room.bundle))
    room.idcbench(lab[0], "stop", *lab[1:], name)
    room.idcbench("node", "remove", str(room.inventory), name, "--force", "--bundle", str(room.bundle))
    room.idcbench(lab[0], "start", *lab[1:], name)
    said = room.idcbench(lab[0], "exec", *lab[1:], name, "--", "systemctl", "status", "idcbench-guard", code=3)
    assert f"host {name} was removed from this cluster" in said
    assert {node["metadata"]["name"] for node in room.get("nodes")} == {"cp1"}
    room.idcbench("node", "add", str(room.inventory), name, "--bundle", str(room.bundle))
    assert {node["metadata"]["name"] for node in room.get("nodes")} == {"cp1", name}


def test_a_changed_profile_reaches_etcd_and_the_leases_too(room: Room) -> None:
    faster = room.inventory.with_name("faster.yaml")
    faster.write_text(room.inventory.read_text().replace("profile: default", "profile: fast"))
    said = room.idcbench("up", str(faster), "--bundle", str(room.bundle))
    assert "cp1: make the static pods anew, by changed settings" in said
    running = ("sh", "-c", r"cat /proc/[0-9]*/cmdline | tr '\0' ' '")
    processes = room.idcbench("lab", "exec", "--name", room.lab.name, "cp1", "--", *running)
    assert f"--heartbeat-interval={PROFILES['fast'].etcd_heartbeat_ms}" in processes
    assert processes.count(f"--leader-elect-lease-duration={PROFILES['fast'].lease_s:g}s") == 2
    assert "plan: nothing to do" in room.idcbench("up", str(faster), "--bundle", str(room.bundle))


def test_certificates_are_shown_and_renewed(room: Room) -> None:
    assert "apiserver.crt" in room.idcbench("certs", "show", str(room.inventory))
    assert "its API server answers again" in room.idcbench("certs", "renew", str(room.inventory))
    room.kubectl("get", "nodes")


def test_a_control_plane_without_its_static_pods_cannot_be_repaired_alone(room: Room) -> None:
    manifest = "/etc/kubernetes/manifests/kube-scheduler.yaml"
    room.idcbench("lab", "exec", "--name", room.lab.name, "cp1", "--", "mv", manifest, "/root/")
    said = room.idcbench("repair", str(room.inventory), "--bundle", str(room.bundle), code=6)
    assert "no control plane has all its static pods" in said
    room.idcbench("lab", "exec", "--name", room.lab.name, "cp1", "--", "mv", "/root/kube-scheduler.yaml", manifest)


def test_what_is_another_clusters_is_refused(room: Room, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    folder = room.inventory.parent
    text = room.inventory.read_text().replace(f"name: {room.lab.name}", "name: other").replace("./", f"{folder}/")
    other.write_text(text)
    said = room.idcbench("up", str(other), "--bundle", str(room.bundle), code=6)
    assert f"belongs to cluster {room.lab.name}, not other" in said


LATER = r"""
mkdir -p /root/later/DEBIAN
cd /root/later/DEBIAN
printf '%s: %s\n' Package later Version 1 Architecture all Maintainer x Description x Depends socat > control
dpkg-deb --build /root/later /root/later.deb && dpkg --install /root/later.deb && rm -r /root/later /root/later.deb
"""
"""What an operator does to a host while it is in the cluster: a package of his own, which needs one of ours."""


def test_down_wants_the_name_and_leaves_hosts_as_they_were(room: Room) -> None:
    assert f"--confirm {room.lab.name}" in room.idcbench("down", str(room.inventory), code=4)
    room.exec("w1", LATER)
    said = room.idcbench("down", str(room.inventory), "--confirm", room.lab.name)
    assert "cp1: as it was found\n" in said
    kept = re.search(r"w1: as it was found, but for packages that others need by now: (.*)", said)
    assert kept is not None, said
    assert "socat" in kept[1].split()
    room.exec("w1", f"dpkg --purge later {kept[1]}")
    for host, before in room.before.items():
        assert room.snapshot(host) == before
    assert "nothing of idcbench is here" in room.idcbench("down", str(room.inventory), "--confirm", room.lab.name)
