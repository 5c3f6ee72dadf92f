"""What a host was before, noted before it is touched; and putting that back. Scripts of POSIX sh for :mod:`.remote`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from . import paths
from .scripts import INSTALLED, MASKED, OURS, RESET, SWAP_OFF
from .wanted import SYSCTLS

BEFORE = f"{paths.STATE}/before"
FOLDERS = (
    "/etc/containerd /etc/kubernetes /etc/cni /opt/cni /etc/haproxy /etc/keepalived /var/lib/haproxy /var/lib/etcd "
    "/var/lib/kubelet /var/lib/cni /var/lib/containerd /var/log/pods /var/log/containers /var/log/kubernetes"
)
"""What a cluster brings; one that was there before stays, empty if it was, as a mounted disk is."""
NONLOCAL_BIND = "net.ipv4.ip_nonlocal_bind"


def remember(managed: Sequence[str]) -> str:
    """Note kernel parameters, folders, and the files that will be written over; once, before all else."""
    keys = " ".join([*SYSCTLS, NONLOCAL_BIND])
    files = " ".join(shlex.quote(path) for path in managed)
    return f"""\
[ ! -e {BEFORE}/complete ] || exit 0
rm -rf {BEFORE}; mkdir -p {BEFORE}/files
for key in {keys}; do
    path=/proc/sys/$(echo "$key" | tr . /)
    case $key in net.bridge.*) path=/proc/sys/net/bridge/${{key#net.bridge.}} ;; esac
    if [ -r "$path" ]; then echo "$path $(cat "$path")" >> {BEFORE}/sysctls; fi
done
for file in {files}; do
    if [ -f "$file" ]; then
        mkdir -p {BEFORE}/files"$(dirname "$file")"
        cp -p "$file" {BEFORE}/files"$file"
    fi
done
for folder in {FOLDERS}; do
    [ -d "$folder" ] || continue
    echo "$folder" >> {BEFORE}/folders
    [ -n "$(ls -A "$folder" | grep -vx lost+found)" ] || echo "$folder" >> {BEFORE}/empty
done
touch {BEFORE}/folders {BEFORE}/empty {BEFORE}/sysctls {BEFORE}/complete
"""


def restore(managed: Sequence[str]) -> str:
    """Take everything of the cluster off the host, and put back what :func:`remember` noted.

    On a host that was never touched nothing is done. Its last act removes the note, so that one that was cut off begins
    again from the top.
    """
    files = " ".join(shlex.quote(path) for path in [*managed, paths.KUBEADM_CONFIG, paths.JOIN_KUBECONFIG, paths.MARK])
    return f"""\
[ -e {BEFORE}/complete ] || {{ echo "nothing of idcbench is here"; exit 0; }}
{RESET}
systemctl disable --quiet --now kubelet keepalived haproxy containerd idcbench-guard 2>/dev/null || true
ours='^/run/containerd/|^/var/lib/containerd/'
awk -v ours="$ours" '$2 ~ ours {{ print $2 }}' /proc/mounts | sort -r | xargs -r -n 1 umount -l || true
nft list tables 2>/dev/null | while read -r _ family name; do
    case $name in kube-proxy | flannel-ipv4 | flannel-ipv6) nft delete table "$family" "$name" || true ;; esac
done
ours=$(sort -u {OURS} 2>/dev/null | tr '\\n' ' ') kept=
if [ -n "$ours" ]; then
    for name in $ours; do echo "$name install"; done | dpkg --set-selections
    # what was installed since may need one; then dpkg says so, and it stays
    DEBIAN_FRONTEND=noninteractive dpkg --purge $ours || true
    kept=$(dpkg-query -W -f='${{db:Status-Status}} ${{Package}}\\n' $ours 2>/dev/null | sed -n 's/^installed //p')
fi
cut -d ' ' -f 3- {INSTALLED} 2>/dev/null | while read -r path; do rm -f "$path"; done
rm -f {files}
for folder in {FOLDERS}; do
    if grep -qx "$folder" {BEFORE}/empty; then empty "$folder"
    elif ! grep -qx "$folder" {BEFORE}/folders; then rm -rf "$folder"; fi
done
rm -rf /run/flannel /run/haproxy
rm -f /etc/systemd/logind.conf.d/99-kubelet.conf
rmdir /etc/systemd/logind.conf.d 2>/dev/null || true
for name in kubelet.service.d keepalived.service.d kubelet.service.requires keepalived.service.requires; do
    rmdir "/etc/systemd/system/$name" 2>/dev/null || true
done
cp -a {BEFORE}/files/. / 2>/dev/null || true
while read -r path value; do echo "$value" > "$path" 2>/dev/null || true; done < {BEFORE}/sysctls
! grep -qs '^{SWAP_OFF}' /etc/fstab || sed -i 's/^{SWAP_OFF}//' /etc/fstab
[ ! -s {MASKED} ] || xargs systemctl unmask --quiet < {MASKED}
rm -f /run/idcbench.holder
systemctl daemon-reload
[ ! -s {MASKED} ] || swapon -a || true
systemctl reset-failed 2>/dev/null || true
rm -f {BEFORE}/complete
echo "as it was found"${{kept:+", but for packages that others need by now: $(echo $kept)"}}
"""


FORGET = f"rm -rf {paths.STATE}"
"""After :func:`restore`, from outside of any step, as the step's own log is there."""
