"""Where things are on a host. Only idcbench writes these, or kubeadm where it says so."""

from __future__ import annotations

ETC = "/etc/kubernetes"
"""kubeadm's folder; in it, ours are ``idcbench`` and ``idcbench.json``."""
PKI = f"{ETC}/pki"
OWN = f"{ETC}/idcbench"
MARK = f"{ETC}/idcbench.json"
"""Says to which cluster the host belongs."""
STATE = "/var/lib/idcbench"
STEPS = f"{STATE}/steps"
KUBEADM_CONFIG = f"{OWN}/kubeadm.yaml"
JOIN_KUBECONFIG = f"{OWN}/discovery.conf"
AUDIT_POLICY = f"{OWN}/audit-policy.yaml"
AUTHENTICATION = f"{OWN}/authentication.yaml"
ADMISSION = f"{OWN}/admission.yaml"
ENCRYPTION = f"{OWN}/encryption.yaml"
CONTROL_PLANE = f"{OWN}/control-plane.yaml"
"""The settings that a control plane's static pods were made by."""
RESOLVER = f"{OWN}/resolv.conf"
"""For pods, where the host's own name servers are of no use to them."""
AUDIT_LOGS = "/var/log/kubernetes/audit"
ADMIN = f"{ETC}/admin.conf"
STATIC_PODS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
"""What runs on a control plane by a manifest each, as its containers are called."""
CRI_SOCKET = "unix:///run/containerd/containerd.sock"
SHARED_PKI = (
    "ca.crt",
    "ca.key",
    "sa.pub",
    "sa.key",
    "front-proxy-ca.crt",
    "front-proxy-ca.key",
    "etcd/ca.crt",
    "etcd/ca.key",
)
"""What all control planes have in common, below :data:`PKI`; every other certificate is its host's own."""
