"""kubeadm's configuration (v1beta4), kubelet's and kube-proxy's, from the inventory and what the hosts are like."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from ...hosts.inventory import HostEntry, Inventory
from ...measure.observer import ETCD_METRICS_PORT
from ..controlplane.endpoint import API_PORT
from ..controlplane.timers import PROFILES
from . import paths
from .node_settings import kubelet_may_set
from .traits import MIB, Traits

API = "kubeadm.k8s.io/v1beta4"
PREFLIGHT_KNOWN = (
    "SystemVerification",
    "Swap",
    "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables",
    "DirAvailable--var-lib-etcd",
)
"""What kubeadm would stop at and idcbench's own preflight has judged already (docs/preflight.md): data of etcd are an
error there, and lost+found of a disk of its own is none."""
TOKEN_TTL = "1h0m0s"


def init_configuration(
    inventory: Inventory, host: HostEntry, traits: Traits, *, version: str, token: str
) -> str:  # fmt: skip
    """The file for ``kubeadm init`` on the host that begins. ``token`` is a secret: mode 0600."""
    init = {
        "apiVersion": API,
        "kind": "InitConfiguration",
        "localAPIEndpoint": {"advertiseAddress": host.node_address, "bindPort": API_PORT},
        "bootstrapTokens": [{"token": token, "ttl": TOKEN_TTL, "description": "idcbench: hosts that join"}],
        "nodeRegistration": _registration(host, traits),
    }
    return _documents(
        [
            init,
            _cluster(inventory, version=version),
            kubelet_configuration(inventory, traits),
            kube_proxy(inventory, traits),
        ]
    )


def control_plane_settings(inventory: Inventory, host: HostEntry, *, version: str) -> str:
    """What kubeadm makes the static pods of one control plane by; no secret."""
    own = {
        "apiVersion": API,
        "kind": "InitConfiguration",
        "localAPIEndpoint": {"advertiseAddress": host.node_address, "bindPort": API_PORT},
        "nodeRegistration": {"name": host.name, "criSocket": paths.CRI_SOCKET},
    }
    return _documents([own, _cluster(inventory, version=version)])


def join_configuration(host: HostEntry, traits: Traits, *, token: str) -> str:
    """The file for ``kubeadm join``; found by a file, so that nothing is open to anybody."""
    join: dict[str, Any] = {
        "apiVersion": API,
        "kind": "JoinConfiguration",
        "discovery": {"file": {"kubeConfigPath": paths.JOIN_KUBECONFIG}, "tlsBootstrapToken": token},
        "nodeRegistration": _registration(host, traits),
    }
    if host.is_control_plane:
        join["controlPlane"] = {"localAPIEndpoint": {"advertiseAddress": host.node_address, "bindPort": API_PORT}}
    return _documents([join])


def discovery_kubeconfig(inventory: Inventory, *, authority_pem: bytes, token: str) -> str:
    """Where the endpoint is and who signs for it, with the token of those that join. A secret: mode 0600."""
    cluster = {
        "server": f"https://{endpoint_of(inventory)}",
        "certificate-authority-data": base64.b64encode(authority_pem).decode(),
    }
    return _documents(
        [
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": inventory.name, "cluster": cluster}],
                "users": [{"name": "joining", "user": {"token": token}}],
                "contexts": [{"name": "joining", "context": {"cluster": inventory.name, "user": "joining"}}],
                "current-context": "joining",
            }
        ]
    )


def endpoint_of(inventory: Inventory) -> str:
    """``address:port`` of the one endpoint in front of all API servers."""
    return f"{inventory.endpoint.address}:{inventory.endpoint.port}"


def kubelet_configuration(inventory: Inventory, traits: Traits) -> dict[str, Any]:
    """KubeletConfiguration; what differs between hosts is of those that are alike in a cluster."""
    reserved = f"{traits.reserved_memory_bytes // MIB}Mi"
    configuration: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": traits.cgroup_driver,
        "clusterDNS": [str(inventory.network.dns_address)],
        "clusterDomain": inventory.network.domain,
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}},
        "authorization": {"mode": "Webhook"},
        "readOnlyPort": 0,
        "rotateCertificates": True,
        "serverTLSBootstrap": True,
        "systemReserved": {"cpu": "100m", "memory": reserved},
        "kubeReserved": {"cpu": "100m", "memory": reserved},
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "10%",
            "nodefs.inodesFree": "5%",
            "imagefs.available": "15%",
        },
        "shutdownGracePeriod": "30s",
        "shutdownGracePeriodCriticalPods": "10s",
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 3,
    }
    if traits.cgroup_version == 1:
        configuration["failCgroupV1"] = False  # true by default from 1.35 on; 1.38 will have no other
    if traits.restricted:
        configuration["failSwapOn"] = False
        configuration["featureGates"] = {"KubeletInUserNamespace": True}  # it may not set its own oom score
    return configuration


def kube_proxy(inventory: Inventory, traits: Traits) -> dict[str, Any]:
    """KubeProxyConfiguration: nftables; a container may not write the kernel's conntrack limits."""
    configuration: dict[str, Any] = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": str(inventory.network.pods),
    }
    if traits.restricted:
        configuration["conntrack"] = {"maxPerCore": 0, "min": 0}
    return configuration


def _cluster(inventory: Inventory, *, version: str) -> dict[str, Any]:
    timers = PROFILES[inventory.profile]
    leases = {
        "leader-elect-lease-duration": f"{timers.lease_s:g}s",
        "leader-elect-renew-deadline": f"{timers.renew_s:g}s",
        "leader-elect-retry-period": f"{timers.retry_s:g}s",
        "profiling": "false",
    }
    etcd = {
        "heartbeat-interval": str(timers.etcd_heartbeat_ms),
        "election-timeout": str(timers.etcd_election_ms),
        "listen-metrics-urls": f"http://0.0.0.0:{ETCD_METRICS_PORT}",
    }
    return {
        "apiVersion": API,
        "kind": "ClusterConfiguration",
        "clusterName": inventory.name,
        "kubernetesVersion": f"v{version}",
        "controlPlaneEndpoint": endpoint_of(inventory),
        "encryptionAlgorithm": "ECDSA-P256",
        "networking": {
            "podSubnet": str(inventory.network.pods),
            "serviceSubnet": str(inventory.network.services),
            "dnsDomain": inventory.network.domain,
        },
        "apiServer": {
            "certSANs": [inventory.endpoint.address, "127.0.0.1", "localhost"],
            "extraArgs": _arguments(API_SERVER),
            "extraVolumes": [_volume("idcbench", paths.OWN), _volume("audit", paths.AUDIT_LOGS, writable=True)],
        },
        "controllerManager": {"extraArgs": _arguments(leases)},
        "scheduler": {"extraArgs": _arguments(leases)},
        "etcd": {"local": {"extraArgs": _arguments(etcd)}},
    }


API_SERVER = {
    "admission-control-config-file": paths.ADMISSION,
    "audit-log-maxage": "30",
    "audit-log-maxbackup": "5",
    "audit-log-maxsize": "100",
    "audit-log-path": f"{paths.AUDIT_LOGS}/audit.log",
    "audit-policy-file": paths.AUDIT_POLICY,
    "authentication-config": paths.AUTHENTICATION,
    "encryption-provider-config": paths.ENCRYPTION,
    "kubelet-certificate-authority": f"{paths.PKI}/ca.crt",
    "profiling": "false",
}
"""What an operator takes for granted, beyond kubeadm's own flags."""


def _registration(host: HostEntry, traits: Traits) -> dict[str, Any]:
    taints = [{"key": each.key, "value": each.value, "effect": each.effect} for each in host.taints]
    if host.is_control_plane and not host.is_worker:
        taints.insert(0, {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"})
    return {
        "name": host.name,
        "criSocket": paths.CRI_SOCKET,
        "ignorePreflightErrors": list(PREFLIGHT_KNOWN),
        "imagePullPolicy": "IfNotPresent",
        "kubeletExtraArgs": _arguments(_kubelet_arguments(host, traits)),
        "taints": taints,
    }


def _kubelet_arguments(host: HostEntry, traits: Traits) -> dict[str, str]:
    labels = ",".join(f"{key}={value}" for key, value in host.labels.items() if kubelet_may_set(key))
    return {
        "node-ip": host.node_address,
        **({"node-labels": labels} if labels else {}),
        **({"resolv-conf": paths.RESOLVER} if traits.local_resolver else {}),
    }


def _arguments(given: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in given.items()]


def _volume(name: str, path: str, *, writable: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "hostPath": path,
        "mountPath": path,
        "readOnly": not writable,
        "pathType": "DirectoryOrCreate",
    }


def _documents(documents: Iterable[dict[str, Any]]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False)


def token_manifest(token: str) -> str:
    """The Secret that makes ``token`` good for an hour, for hosts that join. A secret."""
    name, _, rest = token.partition(".")
    expires = datetime.now(UTC) + timedelta(hours=1)
    return _documents(
        [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": f"bootstrap-token-{name}", "namespace": "kube-system"},
                "type": "bootstrap.kubernetes.io/token",
                "stringData": {
                    "token-id": name,
                    "token-secret": rest,
                    "expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "usage-bootstrap-authentication": "true",
                    "usage-bootstrap-signing": "true",
                    "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
                    "description": "idcbench: hosts that join",
                },
            }
        ]
    )
