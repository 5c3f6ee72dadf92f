"""The steps on a host as scripts of POSIX sh (run with ``set -eu``). Each can be run again after it was cut off."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from ..artifacts.bundle_schema import BundleEntry
from ..controlplane.endpoint import API_PORT
from . import paths

BLOBS = f"{paths.STATE}/blobs"
INSTALLED = f"{paths.STATE}/installed"
"""Lines ``SHA256 SIZE:MTIME PATH`` of the programs that idcbench put there."""
OURS = f"{paths.STATE}/packages-ours"
"""The names of packages that were not there before idcbench installed them."""
SWAP_OFF = "# off for Kubernetes: "
"""What stands before a line of fstab that is off."""
MASKED = f"{paths.STATE}/masked"
"""Units of swap that are kept from starting."""
EMPTY = """\
# a folder may be the mount of a disk of its own, which stays, with what mkfs put there
empty() { [ ! -d "$1" ] || find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +; }
"""
RESET = (
    EMPTY
    + """\
systemctl stop kubelet 2>/dev/null || true
if command -v crictl >/dev/null 2>&1 && systemctl is-active --quiet containerd; then
    # its own limit is 2 s, and on a busy host a pod whose network is not gone by then stays, with its processes
    crictl --timeout 60s pods -q | xargs -r crictl --timeout 60s rmp -f >/dev/null || true
elif systemctl is-active --quiet containerd; then
    ctr -n k8s.io tasks ls -q | xargs -r -n 1 ctr -n k8s.io tasks kill -s SIGKILL || true
    ctr -n k8s.io tasks ls -q | xargs -r -n 1 ctr -n k8s.io tasks rm -f || true
    ctr -n k8s.io containers ls -q | xargs -r ctr -n k8s.io containers rm || true
fi
mounted='^/var/lib/kubelet/|^/run/netns/cni-'
awk -v ours="$mounted" '$2 ~ ours { print $2 }' /proc/mounts | sort -r | xargs -r -n 1 umount -l || true
# kubelet mounts its folder on itself where /var is not shared; a disk of its own has another device, and stays
device() { stat -c %d "$1" 2>/dev/null; }
[ "$(device /var/lib/kubelet)" != "$(device /var/lib)" ] || umount -l /var/lib/kubelet 2>/dev/null || true
for folder in /var/lib/etcd /var/lib/kubelet; do empty $folder; done
rmdir /var/lib/etcd 2>/dev/null || true
rm -rf /etc/kubernetes/manifests /etc/kubernetes/*.conf /etc/kubernetes/tmp
find /etc/kubernetes/pki -type f ! -name 'ca.*' ! -name 'sa.*' ! -name 'front-proxy-ca.*' -delete 2>/dev/null || true
rm -f /etc/cni/net.d/10-flannel.conflist /run/flannel/subnet.env
for link in cni0 flannel.1; do ip link delete "$link" 2>/dev/null || true; done
if command -v nft >/dev/null 2>&1; then nft delete table ip kube-proxy 2>/dev/null || true; fi
"""
)
"""Makes a host clean that had begun to join and did not end; keys that all control planes share stay."""


def reset(*, is_control_plane: bool) -> str:
    """:data:`RESET`, and on a worker the certificates too, as kubeadm wants to write them itself."""
    return RESET if is_control_plane else f"{RESET}rm -rf {paths.PKI}\n"


def packages(entries: Sequence[BundleEntry]) -> str:
    """Install package files that lie in :data:`BLOBS`, start nothing, and hold them against upgrades."""
    files = " ".join(f"{entry.blobs[0].sha256}.deb" for entry in entries)
    names = " ".join(entry.name for entry in entries)
    return f"""\
cd {BLOBS}
# services are started when they have their configuration, not by their package
policy=/usr/sbin/policy-rc.d
ours=
if [ ! -e $policy ] || grep -q idcbench $policy; then
    ours=$policy; printf '#!/bin/sh\\n# idcbench\\nexit 101\\n' > $policy; chmod 755 $policy
fi
trap "rm -f $ours {files}" EXIT
export DEBIAN_FRONTEND=noninteractive
for name in {names}; do
    dpkg-query -W -f='${{Status}}' "$name" 2>/dev/null | grep -q ' installed$' || echo "$name" >> {OURS}
done
dpkg --force-confdef --force-confold --force-unsafe-io --install {files}
for name in {names}; do echo "$name hold"; done | dpkg --set-selections
"""


def binaries(entries: Sequence[BundleEntry]) -> str:
    """Put programs in their places, checked and whole, and note what was put there."""
    blobs = " ".join(sorted({f"{BLOBS}/{entry.blobs[0].sha256}" for entry in entries}))
    # one that is damaged must not lie there for the next run
    lines = [f"trap 'rm -f {blobs}' EXIT", f"mkdir -p {paths.STATE}; touch {INSTALLED}"]
    for entry in entries:
        blob, path = f"{BLOBS}/{entry.blobs[0].sha256}", shlex.quote(entry.path)
        unpack = f"gzip -dc {blob}" if entry.media == "gzip" else f"cat {blob}"
        lines.append(f"""\
mkdir -p "$(dirname {path})"
{unpack} > {path}.idcbench-new
echo "{entry.sha256}  {path}.idcbench-new" | sha256sum --check --quiet
chmod 755 {path}.idcbench-new
mv -f {path}.idcbench-new {path}
grep -v " "{path}'$' {INSTALLED} > {INSTALLED}.new || true
echo "{entry.sha256} $(stat -c %s:%Y {path}) {entry.path}" >> {INSTALLED}.new
mv {INSTALLED}.new {INSTALLED}""")
    return "\n".join([*lines, ""])


def host_settings() -> str:
    """Kernel modules and parameters, as far as this host may set them; what it may not is told by preflight."""
    return """\
for module in $(grep -hv '^#' /etc/modules-load.d/idcbench.conf); do modprobe -q "$module" 2>/dev/null || true; done
for file in /etc/sysctl.d/9?-idcbench*.conf; do
    grep -v '^#' "$file" | while IFS=' =' read -r key value; do
        path=/proc/sys/$(echo "$key" | tr . /)
        case $key in net.bridge.*) path=/proc/sys/net/bridge/${key#net.bridge.} ;; esac
        [ -e "$path" ] || continue
        case $key in fs.inotify.*) [ "$(cat "$path")" -lt "$value" ] || continue ;; esac
        echo "$value" > "$path" || echo "$key cannot be set here"
    done
done
"""


def swap_off() -> str:
    """Swap off now, and after the next start: its lines in fstab are kept as comments."""
    return f"""\
systemctl list-units --plain --no-legend --type swap | awk '{{ print $1 }}' >> {MASKED}
swapoff -a
[ ! -e /etc/fstab ] || sed -i '/^[^#].*[[:space:]]swap[[:space:]]/s/^/{SWAP_OFF}/' /etc/fstab
xargs -r systemctl mask --quiet --now < {MASKED}
"""


def services(*, start: Sequence[str], restart: Sequence[str]) -> str:
    """Services enabled and started, or started anew."""
    lines = ["systemctl daemon-reload"]
    if start:
        lines.append(f"systemctl enable --quiet --now {' '.join(start)}")
    lines += [f"systemctl try-restart {name}" for name in restart]
    return "\n".join([*lines, ""])


def until_ready(address: str) -> str:
    """Wait for the API server of the control plane at ``address``, which asks its own etcd."""
    server = f"https://{address}:{API_PORT}"
    return f"""\
until kubectl --kubeconfig {paths.ADMIN} --server {server} get --raw /readyz >/dev/null 2>&1; do sleep 0.3; done
"""


def mark(cluster: str, state: str) -> str:
    """Say to which cluster the host belongs; in one step."""
    content = json.dumps({"cluster": cluster, "state": state, "by": "idcbench"})
    return f"""\
mkdir -p {paths.ETC}
echo {shlex.quote(content)} > {paths.MARK}.new
mv {paths.MARK}.new {paths.MARK}
"""


def kubeadm(verb: str, cluster: str) -> str:
    """``kubeadm init`` or ``join`` by its configuration, which has secrets and goes afterwards."""
    return f"""\
{mark(cluster, "joining")}
mkdir -p {paths.AUDIT_LOGS}
kubeadm {verb} --config {paths.KUBEADM_CONFIG}
{mark(cluster, "member")}
rm -f {paths.KUBEADM_CONFIG} {paths.JOIN_KUBECONFIG}
"""
