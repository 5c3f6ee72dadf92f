"""Reading component flags out of ps(1): hosts may share their processes, and every member names all of them."""

from __future__ import annotations

import pytest

from idcbench.suites.functional.commands import parse_flags

PEERS = "a=https://10.0.0.1:2380,b=https://10.0.0.2:2380"
SHARED = f"""\
/sbin/init
/opt/x/etcd --name=a --advertise-client-urls=https://10.0.0.1:2379 --initial-cluster={PEERS}
/opt/x/etcd --name=b --advertise-client-urls=https://10.0.0.2:2379 --initial-cluster={PEERS}
kube-apiserver --advertise-address=10.0.0.1 --audit-log-path=/a/audit.log
kube-apiserver --advertise-address=10.0.0.2 --audit-log-path=/b/audit.log
grep kube-apiserver --advertise-address=10.0.0.3
"""


@pytest.mark.parametrize(("address", "name"), [("10.0.0.1", "a"), ("10.0.0.2", "b")])
def test_the_process_of_the_host_is_meant(address: str, name: str) -> None:
    assert parse_flags(SHARED, "etcd", address)["name"] == name
    assert parse_flags(SHARED, "kube-apiserver", address)["audit-log-path"] == f"/{name}/audit.log"


def test_of_several_strangers_none_is_meant() -> None:
    assert parse_flags(SHARED, "etcd", "10.0.0.3") == {}


def test_the_only_process_is_meant_whatever_it_advertises() -> None:
    alone = "etcd --name=a --listen-metrics-urls=http://127.0.0.1:2381\n"
    assert parse_flags(alone, "etcd", "10.0.0.9") == {"name": "a", "listen-metrics-urls": "http://127.0.0.1:2381"}


def test_a_component_that_is_not_there_has_no_flags() -> None:
    assert parse_flags("/sbin/init\n\n", "etcd", "10.0.0.1") == {}
