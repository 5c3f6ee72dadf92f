"""Every check, by its number: sound on sound hosts, and failing on what it is there for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idcbench.hosts.inventory_checks import TAKEN
from idcbench.provisioning.preflight.evidence import Supply
from idcbench.provisioning.preflight.measuring import plan_of
from idcbench.provisioning.preflight.ports import ports_of
from idcbench.provisioning.preflight.registry import CHECKS

RECORDED = (Path(__file__).parent / "debian-12.facts").read_text()
Spoil = Callable[[Any], Any]
HOUR_NS = 3600 * 10**9
CP2 = "  cp2: {address: 192.0.2.12, groups: [control-plane]}\n"
ZONE = "topology.kubernetes.io/zone"
CP3 = CP2.replace("cp2", "cp3").replace(".12", ".13")

BROKEN: dict[str, list[tuple[str, Spoil]]] = {
    "P001": [("error", lambda s: s.lose("w1", "192.0.2.21 port 22 refuses connections; is sshd running?"))],
    "P002": [("warning", lambda s: s.drop("cp1", "program", "python3"))],
    "P003": [("warning", lambda s: s.unmeasured.update(cp1="measuring did not end within 17 s"))],
    "P004": [("note", lambda s: s.set("w1", "answered_ns", str(int(s.facts["w1"]["asked_ns"][0]) + 9 * 10**9)))],
    "P101": [
        ("error", lambda s: s.set("cp1", "cores", "1")),
        ("note", lambda s: s.set("cp1", "cores", "2")),
        ("note", lambda s: s.set("w1", "cores", "1")),
    ],
    "P102": [
        ("error", lambda s: s.set("cp1", "memory_kib", "MemTotal:1600000", "MemAvailable:1500000")),
        ("warning", lambda s: s.set("cp1", "memory_kib", "MemTotal:2000000", "MemAvailable:1900000")),
        ("error", lambda s: s.set("w1", "memory_kib", "MemTotal:500000", "MemAvailable:400000")),
    ],
    "P103": [("warning", lambda s: s.swap("w1", "memory_kib", "MemAvailable:7512340", "MemAvailable:400000"))],
    "P104": [("error", lambda s: s.set("w1", "architecture", "aarch64"))],
    "P105": [("error", lambda s: s.set("w1", "os_version", "13"))],
    "P106": [("error", lambda s: s.set("w1", "os_version", "11")), ("error", lambda s: s.set("w1", "os_id", "rocky"))],
    "P107": [("warning", lambda s: s.set("w1", "machine_id", *s.facts["cp1"]["machine_id"]))],
    "P108": [("error", lambda s: s.set("w1", "machine_id", ""))],
    "P109": [("warning", lambda s: s.set("w1", "product_uuid", *s.facts["cp2"]["product_uuid"]))],
    "P110": [
        ("error", lambda s: s.set("w1", "init", "runit").set("w1", "systemd")),
        ("error", lambda s: s.set("w1", "systemd", "241")),
    ],
    "P111": [("warning", lambda s: s.set("w1", "failed", "smartd.service"))],
    "P112": [("warning", lambda s: s.set("w1", "pid_max", "4100"))],
    "P113": [("note", lambda s: s.set("w1", "capabilities", "000001fffeffffff"))],
    "P201": [
        ("error", lambda s: late(s, "cp2", HOUR_NS)),
        ("error", lambda s: late(s, "cp2", -HOUR_NS)),
        ("warning", lambda s: late(s, "cp2", 2 * 10**9)),
    ],
    "P202": [("error", lambda s: late(s, "w1", -HOUR_NS)), ("error", lambda s: late(s, "w1", HOUR_NS))],
    "P203": [
        ("warning", lambda s: s.set("w1", "clock_synchronized", "no")),
        ("note", lambda s: s.set("w1", "clock_synchronized", "no").set("w1", "container", "docker")),
    ],
    "P204": [("warning", lambda s: s.add("w1", "unit", "systemd-timesyncd enabled active"))],
    "P301": [
        ("error", lambda s: s.swap("cp1", "disk", "/var/lib/etcd ext4 57632620", "/var/lib/etcd ext4 1000000")),
        ("warning", lambda s: s.swap("cp1", "disk", "/var/lib/etcd ext4 57632620", "/var/lib/etcd ext4 4000000")),
    ],
    "P302": [("error", lambda s: room(s, "/var/lib/containerd", 1000000))],
    "P303": [("error", lambda s: room(s, "/var/lib/kubelet", 100000))],
    "P304": [("error", lambda s: room(s, "/var/log", 100000))],
    "P305": [("error", lambda s: room(s, "/usr/local/bin", 100000))],
    "P306": [("error", lambda s: room(s, "/opt/cni", 1000))],
    "P307": [("warning", lambda s: s.set("w1", "disk_size", "/ 576328360"))],
    "P308": [("error", lambda s: s.set("w1", "inodes", "/ 15858659", "/var/log 20"))],
    "P309": [("error", lambda s: s.set("w1", "read_only", "/var/lib/containerd"))],
    "P310": [("error", lambda s: s.swap("w1", "disk", "/var/lib/containerd ext4", "/var/lib/containerd overlay"))],
    "P311": [
        ("error", lambda s: s.swap("cp1", "disk", "/var/lib/etcd ext4", "/var/lib/etcd tmpfs")),
        ("error", lambda s: s.swap("cp1", "disk", "/var/lib/etcd ext4", "/var/lib/etcd nfs4")),
    ],
    "P312": [
        ("warning", lambda s: s.saw("cp1", "sync_us", "500 400 10100 40000")),
        ("error", lambda s: s.saw("cp1", "sync_us", "9 200000 300000 400000")),
    ],
    "P313": [("error", lambda s: s.saw("cp1", "sync_us").saw("cp1", "sync_error", "No space left on device"))],
    "P401": [("error", lambda s: s.swap("cp2", "address", "192.0.2.12/24", "192.0.2.99/24"))],
    "P402": [("error", lambda s: s.swap("cp1", "address", "eth0", "eth1"))],
    "P403": [("error", lambda s: s.swap("cp2", "address", "192.0.2.12/24", "192.0.2.12/28"))],
    "P404": [
        ("error", lambda s: s.ask("192.0.2.100", "198.51.100.7")),
        ("error", lambda s: s.ask("192.0.2.100", "192.0.2.0")),
    ],
    "P405": [
        ("error", lambda s: s.add("w1", "address", "eth0 192.0.2.100/32")),
        ("error", lambda s: s.member("cp1", cluster="other").add("cp1", "address", "eth0 192.0.2.100/32")),
    ],
    "P406": [("error", lambda s: s.add("w1", "address", "eth1 192.0.2.12/24"))],
    "P407": [("error", lambda s: s.swap("w1", "link", "52:54:00:00:00:21", "52:54:00:00:00:11"))],
    "P408": [("error", lambda s: s.set("w1", "hostname", "cp1"))],
    "P409": [("note", lambda s: s.set("w1", "hostname", "debian"))],
    "P410": [("warning", lambda s: s.set("w1", "own_name", ""))],
    "P411": [("warning", lambda s: s.drop("w1", "route", "default"))],
    "P412": [
        ("error", lambda s: s.add("w1", "route", "10.244.7.0/24 dev cni0 proto kernel scope link src 10.244.7.1 ")),
        ("error", lambda s: s.add("w1", "route", "10.0.0.0/8 via 192.0.2.1 dev eth0 ")),
        ("error", lambda s: s.add("w1", "route", "10.96.0.10 dev eth0 ")),
    ],
    "P413": [("warning", lambda s: s.swap("w1", "link", "eth0 1500", "eth0 9000"))],
    "P419": [("error", lambda s: s.swap("w1", "link", "eth0 1500", "eth0 1200"))],
    "P414": [
        ("error", lambda s: s.add("cp1", "listen", 'tcp 0.0.0.0:6443 users:(("nginx",pid=7,fd=6))')),
        ("error", lambda s: s.add("w1", "listen", 'tcp [::]:10250 users:(("k3s",pid=7,fd=6))')),
        ("error", lambda s: s.add("cp1", "listen_hex", "tcp 20FB")),
    ],
    "P415": [("warning", lambda s: s.set("w1", "resolver", ""))],
    "P416": [("note", lambda s: s.set("w1", "resolver", "127.0.0.53"))],
    "P417": [("warning", lambda s: s.add("w1", "unit", "firewalld enabled active"))],
    "P418": [
        ("warning", lambda s: s.set("w1", "proxy", "http_proxy", "HTTPS_PROXY")),
        ("note", lambda s: s.set("w1", "proxy", "http_proxy", "no_proxy")),
    ],
    "P421": [
        ("error", lambda s: s.saw_of("cp1", "tcp", "cp2 2380 open", "cp2 2380 silent")),
        ("error", lambda s: s.saw_of("w1", "tcp", "cp2 6443 open", "cp2 6443 refused")),
        ("error", lambda s: s.saw_of("w1", "tcp", "cp2 6443 open", "cp2 6443 No route to host")),
        ("error", lambda s: s.member("cp2").saw_of("w1", "tcp", "cp2 6443 open", "cp2 6443 silent")),
    ],
    "P422": [("error", lambda s: s.saw_of("cp1", "udp", "w1 small ok", "w1 small silent"))],
    "P423": [("error", lambda s: s.saw_of("cp1", "udp", "w1 large ok", "w1 large silent"))],
    "P424": [("error", lambda s: s.saw("cp1", "vrrp", "192.0.2.12"))],
    "P425": [("error", lambda s: s.saw("cp1", "arp", "192.0.2.100 52:54:00:99:99:99"))],
    "P426": [
        ("warning", lambda s: s.saw("w1", "dns", "192.0.2.53 silent")),
        ("note", lambda s: s.saw("w1", "dns", "192.0.2.53 silent", "192.0.2.54 ok")),
    ],
    "P427": [
        ("warning", lambda s: external(s).saw("w1", "endpoint", "silent")),
        ("note", lambda s: external(s).saw("w1", "endpoint", "refused")),
    ],
    "P501": [
        ("error", lambda s: s.set("w1", "kernel", "5.10.0-33-amd64")),
        ("error", lambda s: s.set("w1", "kernel", "4.19.0")),
    ],
    "P502": [("error", lambda s: s.drop("w1", "module", "overlay").drop("w1", "filesystem", "overlay"))],
    "P503": [("warning", lambda s: s.drop("w1", "module", "br_netfilter").drop("w1", "sysctl", "net.bridge"))],
    "P504": [("error", lambda s: s.saw("w1", "vxlan", "Error: Unknown device type."))],
    "P505": [("error", lambda s: s.saw("w1", "nftables", "Invalid argument"))],
    "P506": [
        ("note", lambda s: s.set("w1", "cgroup", "1")),
        ("error", lambda s: s.set("w1", "cgroup", "1").want("1.38")),
    ],
    "P507": [("error", lambda s: s.drop("w1", "cgroup_controller", "memory"))],
    "P508": [("note", lambda s: s.swap("w1", "sysctl", "net.ipv4.ip_forward 1", "net.ipv4.ip_forward 0"))],
    "P509": [("note", lambda s: s.swap("w1", "sysctl", "bridge-nf-call-iptables 1", "bridge-nf-call-iptables 0"))],
    "P510": [
        ("note", lambda s: s.swap("w1", "sysctl", "instances 1024", "instances 128")),
        ("warning", lambda s: s.set("w1", "container", "docker").swap("w1", "sysctl", "watches 524288", "watches 99")),
    ],
    "P511": [("warning", lambda s: s.swap("w1", "sysctl", "fs.file-max 9223372036854775807", "fs.file-max 8192"))],
    "P512": [("warning", lambda s: s.set("w1", "swap", "/dev/sda2"))],
    "P513": [("warning", lambda s: s.set("w1", "selinux", "Enforcing"))],
    "P514": [("error", lambda s: s.drop("w1", "program", "apparmor_parser"))],
    "P515": [("warning", lambda s: s.set("w1", "device"))],
    "P601": [("error", lambda s: s.set("w1", "package_tool", "rpm"))],
    "P602": [("error", lambda s: s.set("w1", "dpkg_locked", "yes"))],
    "P603": [("error", lambda s: s.set("w1", "dpkg_broken", "yes"))],
    "P604": [("error", lambda s: s.drop("w1", "program", "nsenter"))],
    "P605": [("warning", lambda s: s.add("w1", "unit", "docker enabled active"))],
    "P606": [("error", lambda s: s.set("w1", "containerd", "1.7.24").want("1.38"))],
    "P607": [
        ("error", lambda s: s.set("w1", "kubelet", "v1.38.0")),
        ("error", lambda s: s.set("w1", "kubelet", "v1.33.9")),
    ],
    "P608": [
        ("error", lambda s: s.member("cp1").want("1.39")),
        ("error", lambda s: s.member("cp1").want("1.36")),
    ],
    "P609": [
        ("error", lambda s: spoil_bundle(s, "idc.bundle: etcd is damaged; copy it again")),
        ("note", lambda s: setattr(s, "bundle", None)),
    ],
    "P610": [("error", lambda s: s.set("w1", "architecture", "aarch64"))],
    "P611": [("error", lambda s: s.set("w1", "os_version", "13"))],
    "P612": [("error", lambda s: s.want("1.36")), ("error", lambda s: s.want("1.37.1"))],
    "P701": [("error", lambda s: s.member("w1", cluster="other"))],
    "P702": [("error", lambda s: s.set("w1", "exists", "/etc/kubernetes/kubelet.conf"))],
    "P703": [("error", lambda s: s.member("cp1").member("cp2").set("cp2", "authority", "b" * 64))],
    "P704": [
        ("error", lambda s: s.set("cp1", "etcd_data", "yes")),
        ("note", lambda s: s.member("cp1", state="joining")),
    ],
    "P705": [("error", lambda s: s.set("w1", "cni", "/etc/cni/net.d/10-calico.conflist"))],
    "P707": [("warning", lambda s: s.set("w1", "step", "idcbench-step-init.service"))],
    "P708": [("warning", lambda s: s.add("w1", "unit", "keepalived enabled active"))],
    "P709": [("note", lambda s: s.member("cp1", state="joining"))],
    "P710": [("note", lambda s: s.ask(CP2, "").ask(CP3, ""))],
    "P711": [("note", lambda s: s.ask("plugin: flannel", "plugin: none"))],
    "P713": [("error", lambda s: s.ask(CP2, "")), ("warning", lambda s: s.member("cp1").ask(CP2, ""))],
    "P712": [("warning", lambda s: s.ask("[control-plane]", f"[control-plane], labels: {{{ZONE}: a}}"))],
}  # fmt: skip
ROWS = [(number, level, spoil) for number, rows in BROKEN.items() for level, spoil in rows]


def late(scene: Any, host: str, ns: int) -> None:
    """The clock of a host is ahead by so much."""
    scene.set(host, "clock_ns", str(int(scene.facts[host]["clock_ns"][0]) + ns))
    clock, asked, answered = scene.measured[host]["clock"][0].split()
    scene.saw(host, "clock", f"{int(clock) + ns} {asked} {answered}")


def room(scene: Any, place: str, kib: int) -> None:
    scene.swap("w1", "disk", f"{place} ext4 57631876", f"{place} ext4 {kib}")


def external(scene: Any) -> Any:
    return scene.ask("{mode: keepalived, address: 192.0.2.100}", "{mode: external, address: api.example.org}")


def spoil_bundle(scene: Any, trouble: str) -> None:
    scene.bundle = Supply(path="idc.bundle", trouble=trouble)


@pytest.mark.parametrize(
    ("number", "level", "spoil"), ROWS, ids=[f"{row[0]}-{row[1]}-{i}" for i, row in enumerate(ROWS)]
)
def test_a_check_fails_on_what_it_is_there_for(scene: Any, number: str, level: str, spoil: Spoil) -> None:
    spoil(scene)
    failed = [finding for finding in scene.judge([number]) if finding.level != "sound"]
    assert [level] == list({finding.level for finding in failed}), scene.judge([number])
    for finding in failed:
        assert finding.found
        assert finding.wanted
        assert len(finding.remedy) > 10
        assert finding.subject


@pytest.mark.parametrize(("days", "level"), [(300, "sound"), (29, "warning"), (6, "error"), (-1, "error")])
def test_certificates_that_expire_soon(scene: Any, certificate_of: Any, days: int, level: str) -> None:
    scene.set("cp1", "certificate", certificate_of(365).replace("apiserver", "etcd/ca"), certificate_of(days))
    assert [finding.level for finding in scene.judge(["P706"])] == [level]


def test_there_is_a_case_for_every_check_at_its_severity() -> None:
    assert {*BROKEN, "P706"} == set(CHECKS)
    for number, rows in BROKEN.items():
        if number not in ("P711",):
            assert CHECKS[number].severity in {level for level, _ in rows}, number


@pytest.mark.parametrize("mode", ["keepalived, address: 192.0.2.100", "local-lb"])
def test_the_endpoint_can_have_none_of_the_other_ports(scene: Any, mode: str) -> None:
    scene.ask("mode: keepalived, address: 192.0.2.100", f"mode: {mode}")
    ports = {port.number: port.what for port in ports_of(scene.evidence().inventory)}
    assert ports == {**TAKEN, 8443: "the endpoint"}


def test_sound_hosts_are_sound(scene: Any) -> None:
    assert {finding.check for finding in scene.judge() if finding.level != "sound"} == {"P711"}, [
        finding for finding in scene.judge() if finding.level != "sound"
    ]


def test_a_cluster_that_is_up_is_sound(scene: Any, certificate_of: Any) -> None:
    for host in ("cp1", "cp2", "cp3", "w1"):
        scene.member(host)
        scene.add(host, "unit", "kubelet enabled active", "containerd enabled active", "haproxy enabled active")
        scene.set(host, "cni", "/etc/cni/net.d/10-flannel.conflist")
        scene.add(host, "route", "10.244.0.0/24 dev cni0 proto kernel scope link src 10.244.0.1 ")
        scene.add(host, "route", "10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink ")
        scene.add(host, "listen", 'tcp *:10250 users:(("kubelet",pid=9,fd=17))', "tcp 127.0.0.1:10256 ")
        scene.set(host, "certificate", certificate_of(364))
    scene.add("cp2", "address", "eth0 192.0.2.100/32")
    scene.add("cp2", "listen", 'tcp 192.0.2.100:8443 users:(("haproxy",pid=8,fd=6))')
    scene.add("cp2", "listen", 'tcp *:6443 users:(("kube-apiserver",pid=8,fd=6))')
    scene.add("cp2", "listen", 'tcp 127.0.0.1:10257 users:(("kube-controller",pid=8,fd=6))')
    scene.saw("cp1", "arp", "192.0.2.100 52:54:00:00:00:12")
    scene.saw_of("w1", "tcp", "cp1 6443 open", "cp1 6443 refused")
    assert {finding.check for finding in scene.judge() if finding.level != "sound"} == {"P711"}, [
        finding for finding in scene.judge() if finding.level != "sound"
    ]


def test_what_an_attempt_left_that_was_cut_off_before_its_mark_forbids_nothing(scene: Any) -> None:
    scene.add("cp1", "unit", "haproxy enabled active", "keepalived enabled active")
    scene.add("cp1", "address", "eth0 192.0.2.100/32")
    scene.add("cp1", "listen", 'tcp 192.0.2.100:8443 users:(("haproxy",pid=8,fd=6))')
    scene.saw("cp2", "arp", "192.0.2.100 52:54:00:00:00:11")
    assert not [finding for finding in scene.judge() if finding.level == "error"]


@pytest.mark.parametrize("cluster", ["other", ""])
def test_a_host_of_another_cluster_gets_no_advice_that_harms_it(scene: Any, cluster: str) -> None:
    scene.member("cp1", cluster=cluster).add("cp1", "address", "eth0 192.0.2.100/32")
    scene.set("cp1", "cni", "/etc/cni/net.d/10-calico.conflist").add("cp1", "unit", "etcd enabled active")
    if not cluster:
        scene.set("cp1", "mark")
    found = [one for one in scene.judge() if one.level != "sound" and one.subject == "cp1"]
    assert {one.check for one in found} == {"P701" if cluster else "P702", "P405"}
    assert not [one.remedy for one in found if "mv " in one.remedy or "disable" in one.remedy or " del " in one.remedy]
    evidence = scene.evidence()
    plans = {host.name: plan_of(host, deep=False) for host in evidence.hosts}
    assert not any(plans["cp1"][key] for key in ("listen", "echo", "udp", "vrrp", "sync", "vxlan"))
    assert plans["cp2"]["vrrp"] == ["192.0.2.13"]
    assert [name for name, _ in plans["cp2"]["udp"]] == ["cp3", "w1"]


def test_hosts_that_are_not_reached_leave_the_others_judged(scene: Any) -> None:
    scene.lose("cp1", "192.0.2.11 port 22 does not answer within 10 s; is it on, and is the address right?")
    findings = scene.judge()
    lost = [finding for finding in findings if finding.level == "error"]
    assert [(finding.check, finding.subject) for finding in lost] == [("P001", "cp1")]
    assert lost[0].remedy == "is it on, and is the address right?"
    assert {finding.subject for finding in findings if finding.check == "P101"} == {"cp2", "cp3", "w1"}


def test_nothing_reached_and_nothing_measured_is_no_failure_of_ours(scene: Any) -> None:
    for host in ("cp1", "cp2", "cp3", "w1"):
        scene.lose(host, "no way")
    assert {finding.check for finding in scene.judge() if finding.level == "error"} == {"P001"}


KEYS = sorted({line.partition("=")[0] for line in RECORDED.splitlines()})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lost=st.sets(st.sampled_from(KEYS), max_size=6),
    odd=st.dictionaries(
        st.sampled_from(KEYS), st.sampled_from(["", "?", "-", "a b", "-1", "1.5e3", "\x1b[2J"]), max_size=4
    ),
)
def test_a_host_that_says_odd_things_or_too_little_ends_nothing(
    scene: Any, lost: set[str], odd: dict[str, str]
) -> None:
    former = scene.facts["w1"]
    scene.facts["w1"] = {key: values for key, values in former.items() if key not in lost}
    for key, value in odd.items():
        scene.set("w1", key, value)
    findings = scene.judge()
    scene.facts["w1"] = former
    assert {one.subject for one in findings if one.check == "P101"} == {"cp1", "cp2", "cp3", "w1"}
    for one in findings:
        assert one.level == "sound" or one.remedy


def test_a_reading_of_the_clock_that_took_long_accuses_nobody(scene: Any) -> None:
    for host in scene.facts:
        scene.saw(host, "clock")
    late(scene_with_clock(scene), "cp2", 4 * 10**9)
    scene.set("cp2", "answered_ns", str(int(scene.facts["cp2"]["asked_ns"][0]) + 5 * 10**9))
    assert {finding.level for finding in scene.judge(["P201"])} == {"sound"}


def scene_with_clock(scene: Any) -> Any:
    """``late`` changes a reading of the measurement too; here it is as wide as the facts' own."""
    scene.saw("cp2", "clock", f"{scene.facts['cp2']['clock_ns'][0]} {scene.facts['cp2']['asked_ns'][0]} {2**62}")
    return scene
