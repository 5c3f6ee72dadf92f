"""The command lines of the control-plane components: kubeadm's own flags, plus what a profile and a shape set.

Pure functions from a :class:`Member` to an argument vector. Sources: kubernetes/kubernetes
cmd/kubeadm/app/phases/{etcd/local.go,controlplane/manifests.go} at 1.37.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...cluster import Shape, Timers
from .endpoint import API_PORT
from .timers import node_grace_s

SERVICE_CIDR = "10.96.0.0/16"
FIRST_SERVICE_ADDRESS = "10.96.0.1"
POD_CIDR = "10.192.0.0/10"
"""Room for 16,384 nodes of a /24 each."""
BENCH_API_FLAGS = (
    "--max-requests-inflight=3000",
    "--max-mutating-requests-inflight=3000",
    # without controllers nobody makes service accounts, takes taints away or would be asked for priorities
    "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
    # gangs: PodGroup is beta in 1.37, and off
    "--feature-gates=GenericWorkload=true",
    "--runtime-config=scheduling.k8s.io/v1beta1=true",
    # a round is read from one file: three lines a pod, half a kilobyte each
    "--audit-log-maxsize=1000",
)
ETCD_CLIENT_PORT, ETCD_PEER_PORT, ETCD_METRICS_PORT = 2379, 2380, 2381
CONTROLLER_MANAGER_PORT, SCHEDULER_PORT = 10257, 10259


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A control-plane host as its components see it. ``peers`` maps every member's name to its address, itself too."""

    name: str
    address: str
    peers: dict[str, str]
    pki: Path
    etc: Path
    data: Path
    logs: Path
    timers: Timers
    nodes: int = 0
    shape: Shape = "full"
    extra: dict[str, tuple[str, ...]] = field(default_factory=dict)


def etcd(member: Member) -> list[str]:
    """etcd with TLS for clients and peers; metrics in clear on the host's own network."""
    pki, address = member.pki / "etcd", member.address
    initial = ",".join(f"{name}=https://{host}:{ETCD_PEER_PORT}" for name, host in member.peers.items())
    return [
        "etcd",
        f"--name={member.name}",
        f"--data-dir={member.data / 'etcd'}",
        f"--listen-client-urls=https://127.0.0.1:{ETCD_CLIENT_PORT},https://{address}:{ETCD_CLIENT_PORT}",
        f"--advertise-client-urls=https://{address}:{ETCD_CLIENT_PORT}",
        f"--listen-peer-urls=https://{address}:{ETCD_PEER_PORT}",
        f"--initial-advertise-peer-urls=https://{address}:{ETCD_PEER_PORT}",
        f"--initial-cluster={initial}",
        "--initial-cluster-state=new",
        f"--cert-file={pki / 'server.crt'}",
        f"--key-file={pki / 'server.key'}",
        f"--trusted-ca-file={pki / 'ca.crt'}",
        "--client-cert-auth=true",
        f"--peer-cert-file={pki / 'peer.crt'}",
        f"--peer-key-file={pki / 'peer.key'}",
        f"--peer-trusted-ca-file={pki / 'ca.crt'}",
        "--peer-client-cert-auth=true",
        "--snapshot-count=10000",
        f"--listen-metrics-urls=http://{address}:{ETCD_METRICS_PORT}",
        "--watch-progress-notify-interval=5s",
        # kubeadm's InitialCorruptCheck has members that start at the same time wait 7 s for each other's hash, each
        # for each; this one compares hashes while they run
        "--feature-gates=CompactHashCheck=true",
        f"--heartbeat-interval={member.timers.etcd_heartbeat_ms}",
        f"--election-timeout={member.timers.etcd_election_ms}",
        *(["--unsafe-no-fsync"] if member.shape == "bench" else []),
        *member.extra.get("etcd", ()),
    ]


def kube_apiserver(member: Member) -> list[str]:
    """An API server that talks to the etcd of its own host, as kubeadm sets it up."""
    pki = member.pki
    return [
        "kube-apiserver",
        f"--advertise-address={member.address}",
        f"--secure-port={API_PORT}",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--enable-bootstrap-token-auth=true",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--etcd-servers=https://127.0.0.1:{ETCD_CLIENT_PORT}",
        f"--etcd-cafile={pki / 'etcd/ca.crt'}",
        f"--etcd-certfile={pki / 'apiserver-etcd-client.crt'}",
        f"--etcd-keyfile={pki / 'apiserver-etcd-client.key'}",
        f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
        "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
        f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
        f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki / 'sa.pub'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        f"--audit-policy-file={member.etc / 'audit-policy.yaml'}",
        f"--audit-log-path={member.logs / 'audit.log'}",
        *(() if member.shape == "bench" else ("--audit-log-maxsize=100",)),
        "--audit-log-maxbackup=2",
        *(BENCH_API_FLAGS if member.shape == "bench" else []),
        *member.extra.get("kube-apiserver", ()),
    ]


def kube_controller_manager(member: Member) -> list[str]:
    """A controller-manager on the API server of its own host."""
    pki, kubeconfig = member.pki, member.etc / "controller-manager.conf"
    return [
        "kube-controller-manager",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--service-account-private-key-file={pki / 'sa.key'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        "--use-service-account-credentials=true",
        "--controllers=*,bootstrapsigner,tokencleaner",
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={POD_CIDR}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        "--cluster-name=kubernetes",
        f"--node-monitor-grace-period={node_grace_s(member.nodes)}s",
        # of its default of 20/s, bringing a thousand nodes in takes four minutes
        "--kube-api-qps=300",
        "--kube-api-burst=600",
        *_leader_election(member.timers),
        *member.extra.get("kube-controller-manager", ()),
    ]


def kube_scheduler(member: Member) -> list[str]:
    """A scheduler on the API server of its own host."""
    kubeconfig = member.etc / "scheduler.conf"
    return [
        "kube-scheduler",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        *_leader_election(member.timers),
        *member.extra.get("kube-scheduler", ()),
    ]


def _leader_election(timers: Timers) -> list[str]:
    return [
        "--leader-elect=true",
        f"--leader-elect-lease-duration={timers.lease_s:g}s",
        f"--leader-elect-renew-deadline={timers.renew_s:g}s",
        f"--leader-elect-retry-period={timers.retry_s:g}s",
    ]


AUDIT_POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
# Who did what, with microsecond stamps; without the endless renewals of leases and the reads of the components.
omitStages: [RequestReceived]
rules:
- {level: None, resources: [{group: coordination.k8s.io, resources: [leases]}]}
- {level: None, nonResourceURLs: [/readyz*, /livez*, /healthz*, /metrics, /openapi/*]}
- {level: None, verbs: [get, list, watch], userGroups: [system:serviceaccounts, system:nodes]}
- level: None
  verbs: [get, list, watch]
  users: [system:kube-controller-manager, system:kube-scheduler, system:apiserver]
- {level: Metadata}
"""
BENCH_AUDIT_POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
# What a benchmark of schedulers reads its times from, and nothing else: every line costs the API server.
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete]
  resources:
  - {group: "", resources: [pods, pods/binding, pods/status, bindings, events]}
  - {group: events.k8s.io, resources: [events]}
- {level: None}
"""
