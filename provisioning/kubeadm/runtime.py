"""containerd and kubelet as services of a host: their files."""

from __future__ import annotations

from . import paths
from .traits import Traits

CONTAINERD_CONFIG = "/etc/containerd/config.toml"
KUBELET_UNIT = "/etc/systemd/system/kubelet.service"
KUBELET_DROPIN = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"
CRICTL_CONFIG = "/etc/crictl.yaml"
PLUGINS = "/opt/cni/bin"
"""Where bundles put CNI plugins; Debian 13's containerd looks elsewhere unless it is told."""


def containerd_config(traits: Traits, *, pause: str) -> str:
    """containerd 1.6 and 1.7 (version 2 of the file), or 2.x (version 3). ``pause`` is the image of every sandbox."""
    systemd = "true" if traits.cgroup_driver == "systemd" else "false"
    oom = "true" if traits.restricted else "false"
    if traits.containerd.startswith("1."):
        return f"""\
# written by idcbench
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = {oom}
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{PLUGINS}"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = {systemd}
"""
    return f"""\
# written by idcbench
version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '{pause}'
[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = '/etc/containerd/certs.d'
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = {oom}
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dir = '{PLUGINS}'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = {systemd}
"""


def registry_path(place: str) -> str:
    """Where containerd looks for how to reach a registry; read at each pull, so that nothing is restarted for it."""
    return f"/etc/containerd/certs.d/{place}/hosts.toml"


def registry_hosts(place: str) -> str:
    """How containerd reaches the registry in the cluster, ``place`` its address and port."""
    return f"""\
# written by idcbench: the registry in the cluster
server = "https://{place}"
[host."https://{place}"]
  capabilities = ["pull", "resolve", "push"]
  ca = "{paths.PKI}/ca.crt"
"""


CRICTL = """\
# written by idcbench
runtime-endpoint: unix:///run/containerd/containerd.sock
image-endpoint: unix:///run/containerd/containerd.sock
"""
KUBELET_SERVICE = """\
# written by idcbench
[Unit]
Description=kubelet: the agent of Kubernetes on this node
After=containerd.service network-online.target
Wants=containerd.service network-online.target
# before kubeadm has given it its configuration there is nothing to start
ConditionPathExists=/var/lib/kubelet/config.yaml

[Service]
# a worker has no static pods, and kubelet complains once a second where the folder for them is missing
ExecStartPre=/bin/mkdir -p /etc/kubernetes/manifests
ExecStart=/usr/local/bin/kubelet
Restart=always
RestartSec=1
StartLimitInterval=0
CPUAccounting=true
MemoryAccounting=true

[Install]
WantedBy=multi-user.target
"""
KUBELET_FLAGS = """\
# written by idcbench, as kubeadm wants it
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--kubeconfig=/etc/kubernetes/kubelet.conf \\
    --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""
