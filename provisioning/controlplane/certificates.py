"""Which certificates a control-plane host needs, in the folder layout of kubeadm, so that its tools can read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...kube.kubeconfig import write_private
from .pki import KeyPair, authority, key_pem, leaf, new_key, public_pem, write_pair

ADMINS = "system:masters"
OWN_SCHEDULER = "idcbench-scheduler"
"""The user as whom idcbench's scheduler comes; it is in no group, and may what its own roles say."""
SERVICE_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
    "127.0.0.1",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """What all hosts share: three authorities and the key that signs service-account tokens."""

    cluster: KeyPair
    front_proxy: KeyPair
    etcd: KeyPair
    service_account_private: bytes
    service_account_public: bytes

    @classmethod
    def new(cls) -> Authorities:
        service_account = new_key()
        return cls(
            cluster=authority("kubernetes"),
            front_proxy=authority("front-proxy-ca"),
            etcd=authority("etcd-ca"),
            service_account_private=key_pem(service_account),
            service_account_public=public_pem(service_account),
        )


def write_host_certificates(
    folder: Path, authorities: Authorities, *, name: str, address: str, also: tuple[str, ...]
) -> None:
    """Fill ``folder`` with all keys and certificates of the control-plane host ``name``, mode 0600.

    ``also`` are further names and addresses of its API server: the virtual IP, the first service address, a relay.
    """
    (folder / "etcd").mkdir(parents=True, exist_ok=True, mode=0o700)
    for path, pair in _leaves(authorities, name=name, address=address, also=also):
        write_pair(folder / path.parent, path.name, pair)
    for file, pair in (("ca", authorities.cluster), ("front-proxy-ca", authorities.front_proxy)):
        write_pair(folder, file, pair)
    write_pair(folder / "etcd", "ca", authorities.etcd)
    write_private(folder / "sa.key", authorities.service_account_private)
    write_private(folder / "sa.pub", authorities.service_account_public)


def _leaves(
    authorities: Authorities, *, name: str, address: str, also: tuple[str, ...]
) -> Iterator[tuple[Path, KeyPair]]:
    cluster, etcd = authorities.cluster, authorities.etcd
    api_names = (name, address, *SERVICE_NAMES, *also)
    own_names = (name, address, "localhost", "127.0.0.1")
    etcd_names = (name, address, "localhost", "127.0.0.1")
    yield Path("apiserver"), leaf("kube-apiserver", signer=cluster, names=api_names, server=True)
    yield Path("apiserver-kubelet-client"), leaf("kube-apiserver-kubelet-client", signer=cluster, organization=ADMINS)
    yield Path("front-proxy-client"), leaf("front-proxy-client", signer=authorities.front_proxy)
    yield Path("admin"), leaf("kubernetes-admin", signer=cluster, organization=ADMINS)
    yield Path("controller-manager"), leaf("system:kube-controller-manager", signer=cluster)
    yield Path("scheduler"), leaf("system:kube-scheduler", signer=cluster)
    yield Path(OWN_SCHEDULER), leaf(OWN_SCHEDULER, signer=cluster, names=own_names, server=True)
    yield Path("apiserver-etcd-client"), leaf("kube-apiserver-etcd-client", signer=etcd)
    yield Path("etcd/server"), leaf(name, signer=etcd, names=etcd_names, server=True)
    yield Path("etcd/peer"), leaf(name, signer=etcd, names=etcd_names, server=True)
