"""From what hosts have and what they are to have to a plan; and what is said of hosts that are not right."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import replace as altered
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.errors import ClusterError
from idcbench.hosts.inventory import HostEntry, Inventory
from idcbench.hosts.inventory_file import parse_inventory
from idcbench.provisioning.artifacts.bundle_schema import Blob, BundleEntry, Kind
from idcbench.provisioning.facts.facts import Facts, FactsError, parse_facts
from idcbench.provisioning.kubeadm.difference import difference
from idcbench.provisioning.kubeadm.fitting import check_fits, check_owner, check_version
from idcbench.provisioning.kubeadm.plan import plan
from idcbench.provisioning.kubeadm.runtime import CONTAINERD_CONFIG
from idcbench.provisioning.kubeadm.sharing import made
from idcbench.provisioning.kubeadm.state import State
from idcbench.provisioning.kubeadm.wanted import Supplies, Wanted, WantedFile, managed_paths, wanted

ROOM = """\
cluster: {name: room, endpoint: {address: 10.9.0.100}}
hosts:
  cp1: {address: 10.9.0.11, groups: [control-plane]}
  cp2: {address: 10.9.0.12, groups: [control-plane]}
  cp3: {address: 10.9.0.13, groups: [control-plane]}
  w1: {address: 10.9.0.21, groups: [worker]}
"""
BARE = """\
os_id=debian
os_version=12
architecture=x86_64
cores=2
memory_kib=MemTotal:4000000
capabilities=000001ffffffffff
cgroup=2
resolver=10.9.0.1
address=eth0 10.9.0.11/24
sysctl=net.ipv4.ip_forward 0
complete=yes
"""
MEMBER = 'exists=/etc/kubernetes/kubelet.conf\nmark={"cluster": "room", "state": "member"}\nauthority=aa\n'
PLANE = "manifest=kube-apiserver\netcd_data=yes\n"


def room() -> Inventory:
    return parse_inventory(ROOM, path=Path("room.yaml"))


def facts(more: str = "") -> Facts:
    return parse_facts(more + BARE)


def entry(name: str, kind: Kind, *, path: str = "") -> BundleEntry:
    digest = hashlib.sha256(name.encode()).hexdigest()
    blob = Blob(sha256=digest, size_bytes=1)
    return BundleEntry(
        name=name, kind=kind, version="1", size_bytes=1, sha256=digest, origin="", media="plain", blobs=(blob,),
        path=path,
    )  # fmt: skip


SUPPLIES = Supplies(
    version="1.37.2",
    packages=(entry("containerd", "package"), entry("chrony", "package")),
    binaries=(entry("kubelet", "binary", path="/usr/local/bin/kubelet"),),
    images=(entry("registry.k8s.io/pause:3.10.2", "image"), entry("registry.k8s.io/etcd:3.7.0-0", "image")),
)
SHARED = made()


def want(host: HostEntry, found: Facts) -> Wanted:
    return wanted(room(), host, found, supplies=SUPPLIES, shared=SHARED, interface="eth0")


def as_wanted(host: HostEntry) -> str:
    """What a host says that has everything."""
    whole = want(host, facts())
    lines = [f"file={file.sha256} {file.mode:o} root:root {file.path}" for file in _all_files(whole)]
    lines += [f"package={each.name} 1 hi" for each in whole.packages]
    lines += [f"installed={each.path} {each.sha256}" for each in whole.binaries]
    lines += [f"image={each.name} sha256:{each.sha256}" for each in whole.images]
    lines += [f"unit={name} enabled active" for name in whole.services]
    return "\n".join(lines).replace("ip_forward 0", "ip_forward 1") + "\n"


def _all_files(whole: Wanted) -> list[WantedFile]:
    return [*whole.files, *([whole.static_pods] if whole.static_pods else [])]


def sound(host: HostEntry) -> Facts:
    return parse_facts(as_wanted(host) + MEMBER + BARE.replace("ip_forward 0", "ip_forward 1"))


def test_a_bare_host_lacks_everything_and_a_whole_one_nothing() -> None:
    for host in room().hosts:
        work = difference(host.name, want(host, facts()), facts())
        assert len(work.packages) == 2
        assert work.settings
        assert {file.path for file in work.files} == {file.path for file in want(host, facts()).files}
        assert not difference(host.name, want(host, facts()), sound(host))


def test_a_host_that_keeps_its_time_by_another_program_gets_no_chrony_and_a_container_does_not_run_it() -> None:
    host = room().host("w1")
    other = want(host, facts("package=systemd-timesyncd 252 ii\n"))
    assert [each.name for each in other.packages] == ["containerd"]
    assert "chrony" not in other.services
    assert "chrony" in want(host, facts("container=none\n")).services
    assert "chrony" not in want(host, facts("container=docker\n")).services


@pytest.mark.parametrize("containerd", ["1.6.20", "1.7.24", "2.1.1"])
def test_containerd_looks_for_plugins_where_the_bundle_puts_them(containerd: str) -> None:
    made = want(room().host("w1"), facts(f"containerd={containerd}\n")).files
    [config] = [tomllib.loads(file.content.decode()) for file in made if file.path == CONTAINERD_CONFIG]
    cri = "io.containerd.grpc.v1.cri" if containerd.startswith("1.") else "io.containerd.cri.v1.runtime"
    assert config["plugins"][cri]["cni"]["bin_dir"] == "/opt/cni/bin"


def test_kube_scheduler_rests_where_ours_is_in_its_place_and_serves_again_where_it_is_not() -> None:
    host = room().host("cp1")
    ours = altered(room(), scheduler="idcbench")
    schedules, rests = "manifest=kube-scheduler\n", "resting=kube-scheduler\n"

    def words(inventory: Inventory, more: str) -> list[str]:
        found = facts(more + as_wanted(host) + MEMBER)
        whole = wanted(inventory, host, found, supplies=SUPPLIES, shared=SHARED, interface="eth0")
        return [word for word in difference("cp1", whole, found).words if "kube-scheduler" in word]

    assert words(ours, schedules) == ["lay kube-scheduler aside"]
    assert words(ours, rests) == []
    assert words(room(), rests) == ["let kube-scheduler serve again"]
    assert words(room(), schedules) == []


def test_static_pods_follow_the_profile_and_know_nothing_of_other_hosts() -> None:
    host = room().host("cp1")

    def words(inventory: Inventory, found: Facts) -> list[str]:
        whole = wanted(inventory, host, found, supplies=SUPPLIES, shared=SHARED, interface="eth0")
        return [word for word in difference("cp1", whole, found).words if "static pods" in word]

    faster = altered(room(), profile="fast")
    assert words(faster, sound(host)) == ["make the static pods anew, by changed settings"]
    assert words(faster, facts()) == []
    alone = altered(room(), hosts=(host,))
    assert words(alone, sound(host)) == []


def test_a_cluster_is_not_taken_to_another_version() -> None:
    found = {host.name: parse_facts("kubelet=v1.36.4\n" + as_wanted(host) + MEMBER + BARE) for host in room().hosts}
    there = State(inventory=room(), facts=found)
    check_version(there, "1.36.4")
    for other in ("1.36.9", "1.37.2"):
        with pytest.raises(ClusterError, match=rf"cp1: has Kubernetes 1\.36\.4, the bundle {other}"):
            check_version(there, other)


def test_only_a_control_plane_gets_keys_the_endpoint_and_etcd() -> None:
    inventory = room()
    cp1, w1 = inventory.host("cp1"), inventory.host("w1")
    paths = {file.path for file in want(w1, facts()).files}
    assert not any("pki" in path or "haproxy" in path or "encryption" in path for path in paths)
    assert "registry.k8s.io/etcd:3.7.0-0" not in [image.name for image in want(w1, facts()).images]
    secret = {file.path for file in want(cp1, facts()).files if file.mode == 0o600}
    assert {"/etc/kubernetes/pki/ca.key", "/etc/kubernetes/idcbench/encryption.yaml"} <= secret


def test_every_file_that_is_written_is_among_those_that_are_looked_at() -> None:
    inventory = room()
    local = altered(inventory, endpoint=altered(inventory.endpoint, mode="local-lb", address="127.0.0.1"))
    for each in (inventory, local):
        for host in each.hosts:
            loopback = parse_facts(BARE.replace("resolver=10.9.0.1", "resolver=127.0.0.53"))
            written = wanted(each, host, loopback, supplies=SUPPLIES, shared=SHARED, interface="eth0").files
            assert {file.path for file in written} <= set(managed_paths(each, host))


@given(st.sets(st.sampled_from(["file=", "package=", "installed=", "image=", "unit="])))
def test_what_is_lacking_is_what_will_be_done(lost: set[str]) -> None:
    host = room().host("cp1")
    kept = [line for line in as_wanted(host).splitlines() if not line.startswith(tuple(lost) or "-")]
    found = parse_facts("\n".join([*kept, MEMBER]) + BARE.replace("ip_forward 0", "ip_forward 1"))
    work = difference("cp1", want(host, facts()), found)
    assert bool(work.files) == ("file=" in lost)
    assert bool(work.packages) == ("package=" in lost)
    assert bool(work.binaries) == ("installed=" in lost)
    assert bool(work.images) == ("image=" in lost)
    assert bool(work.start) == ("unit=" in lost)


def test_a_changed_file_restarts_its_service_and_no_other() -> None:
    host = room().host("cp1")
    lines = [line for line in as_wanted(host).splitlines() if "haproxy.cfg" not in line]
    found = parse_facts("\n".join([*lines, MEMBER]) + BARE.replace("ip_forward 0", "ip_forward 1"))
    work = difference("cp1", want(host, facts()), found)
    assert (work.restart, [file.path for file in work.files]) == (("haproxy",), ["/etc/haproxy/haproxy.cfg"])


def state(**hosts: str) -> State:
    inventory = room()
    return State(inventory=inventory, facts={host.name: facts(hosts.get(host.name, "")) for host in inventory.hosts})


def test_from_nothing_the_first_control_plane_begins_and_the_others_follow_workers_last() -> None:
    planned = plan(state(), {}, addons=("flannel",))
    assert planned.first is not None
    assert (planned.first.name, [host.name for host in planned.join]) == ("cp1", ["cp2", "cp3", "w1"])


def test_no_control_plane_is_special() -> None:
    """When the first of the inventory is new and another is a member, it joins like any other."""
    planned = plan(state(cp2=MEMBER + PLANE, cp3=MEMBER + PLANE, w1=MEMBER), {}, addons=())
    assert planned.first is None
    assert [host.name for host in planned.join] == ["cp1"]


def test_a_host_that_had_begun_is_made_clean_first() -> None:
    begun = PLANE + 'mark={"cluster": "room", "state": "joining"}\n'
    planned = plan(state(cp1=MEMBER + PLANE, cp2=begun), {}, addons=())
    assert [host.name for host in planned.clean] == ["cp2"]
    assert "cp2" in [host.name for host in planned.join]


def test_a_whole_cluster_gives_an_empty_plan() -> None:
    whole = dict.fromkeys(("cp1", "cp2", "cp3"), MEMBER + PLANE)
    planned = plan(state(**whole, w1=MEMBER), {}, addons=())
    assert (planned.changes, planned.lines) == (0, [])


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ('mark={"cluster": "other", "state": "member"}\n', "host cp2: belongs to cluster other, not room"),
        ("exists=/etc/kubernetes/kubelet.conf\njoined_to=https://1.2.3.4:6443\n", "idcbench did not make (https://1.2"),
        ("mark={broken\n", "belongs to cluster ?, not room"),
    ],
)
def test_a_host_of_another_cluster_is_not_touched(found: str, said: str) -> None:
    with pytest.raises(ClusterError) as caught:
        check_owner(state(cp2=found))
    assert said in str(caught.value)


def test_two_clusters_of_one_name_are_told_apart_by_their_authorities() -> None:
    with pytest.raises(ClusterError, match="trust different authorities"):
        check_owner(state(cp1=MEMBER + PLANE, cp2=MEMBER.replace("aa", "bb") + PLANE))


SETTINGS = """\
setting=controlPlaneEndpoint 10.9.0.100:8443
setting=podSubnet 10.244.0.0/16
setting=serviceSubnet 10.96.0.0/16
setting=dnsDomain cluster.local
"""
WHOLE = {
    **{f"cp{number}": f"{MEMBER}{PLANE}{SETTINGS}node_ip=10.9.0.1{number}\n" for number in (1, 2, 3)},
    "w1": f"{MEMBER}node_ip=10.9.0.21\n",
}


def test_a_cluster_fits_the_inventory_that_it_was_made_by() -> None:
    check_fits(state(**WHOLE))
    check_fits(state())
    check_fits(state(**{**WHOLE, "cp2": "", "w1": ""}))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"cp1": "", "cp2": "", "cp3": ""}, "w1 are members of cluster room, and no control plane"),
        ({"cp2": MEMBER}, "host cp2: is a worker of the cluster, the inventory says a control plane"),
        ({"w1": MEMBER + PLANE}, "host w1: is a control plane of the cluster, the inventory says a worker"),
        ({"w1": MEMBER + "node_ip=10.9.0.22\n"}, "host w1: joined as 10.9.0.22, the inventory has 10.9.0.21"),
        ({"cp1": WHOLE["cp1"].replace("0.100", "0.99")}, "with endpoint 10.9.0.99:8443, the inventory says 10.9.0.100"),
        ({"cp3": WHOLE["cp3"].replace("10.244", "10.240")}, "with network.pods 10.240.0.0/16"),
        ({"cp3": WHOLE["cp3"].replace("10.96", "10.97")}, "with network.services 10.97.0.0/16"),
        ({"cp3": WHOLE["cp3"].replace("cluster.local", "idc")}, "with network.domain idc"),
    ],
)
def test_what_no_living_cluster_takes_is_refused(found: dict[str, str], said: str) -> None:
    with pytest.raises(ClusterError) as caught:
        check_fits(state(**{**WHOLE, **found}))
    assert said in str(caught.value)


def test_what_a_host_says_in_part_is_not_taken_for_all() -> None:
    with pytest.raises(FactsError, match="did not say all"):
        parse_facts(BARE.replace("complete=yes\n", ""))
