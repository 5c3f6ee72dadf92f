# What this host is and has, as lines KEY=VALUE; a key may come several times. Changes nothing. Needs coreutils, grep,
# sed, awk and iproute2; whatever else is missing leaves its lines out. Arguments: files to give the digests of.
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin"
has() { command -v "$1" >/dev/null 2>&1; }
say() { # one line, however many the value has; forks nothing
    key=$1; set -f; set -- $2; set +f
    printf '%s=%s\n' "$key" "$*"
}
first() { head -n 1 "$1" 2>/dev/null; }

say clock_ns "$(date +%s%N)"
# --- the machine
if [ -r /etc/os-release ]; then
    . /etc/os-release
    say os_id "${ID:-}"; say os_version "${VERSION_ID:-}"; say os_like "${ID_LIKE:-}"; say os_name "${PRETTY_NAME:-}"
fi
say kernel "$(uname -r)"
say architecture "$(uname -m)"
say hostname "$(uname -n)"
say cores "$(nproc)"
awk '/^(MemTotal|MemAvailable|SwapTotal):/ { print "memory_kib=" $1 $2 }' /proc/meminfo
say machine_id "$(first /etc/machine-id)"
say product_uuid "$(first /sys/class/dmi/id/product_uuid)"
say uptime_s "$(cut -d' ' -f1 /proc/uptime)"
say capabilities "$(awk '/^CapBnd/ { print $2 }' /proc/self/status)"
say init "$(cat /proc/1/comm)"
has systemctl && { say systemd "$(systemctl --version | awk 'NR == 1 { print $2 }')"; say systemd_state "$(systemctl is-system-running)"; }
has systemd-detect-virt && say container "$(systemd-detect-virt --container)"
if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then say cgroup 2; else say cgroup 1; fi
for controller in cpu memory pids cpuset; do
    grep -qs "\b$controller\b" /sys/fs/cgroup/cgroup.controllers || [ -d /sys/fs/cgroup/$controller ] && say cgroup_controller "$controller"
done
say pid_max "$(first /proc/sys/kernel/pid_max)"
say processes "$(ls -d /proc/[0-9]* | wc -l)"
for device in /dev/kmsg /dev/fuse; do [ -e $device ] && say device $device; done
has systemctl && systemctl list-units --plain --no-legend --state=failed | awk '{ print "failed=" $1 }'
# --- time
has timedatectl && say clock_synchronized "$(timedatectl show --property=NTPSynchronized --value 2>/dev/null)"
# --- disks: what is free where the cluster writes
for place in / /var/lib/etcd /var/lib/containerd /var/lib/kubelet /var/log /opt/cni /usr/local/bin; do
    at=$place; while [ ! -d "$at" ]; do at=$(dirname "$at"); done
    df -PkT "$at" | awk -v place="$place" 'NR == 2 { print "disk=" place " " $2 " " $5 " " $7; print "disk_size=" place " " $3 }'
    df -Pi "$at" | awk -v place="$place" 'NR == 2 { print "inodes=" place " " $4 }'
    [ -w "$at" ] || say read_only "$place"
done
# --- network
ip -o -4 address show | awk '{ split($4, a, "/"); print "address=" $2 " " $4 }'
ip -o link show | awk '{ name = $2; sub(/[:@].*/, "", name); mtu = mac = ""; for (i = 3; i < NF; i++) { if ($i == "mtu") mtu = $(i + 1); if ($i == "link/ether") mac = $(i + 1) } print "link=" name " " mtu " " mac }'
ip -4 route show | sed 's/^/route=/'
if has ss; then
    ss -Hlntup 2>/dev/null | awk '{ print "listen=" $1 " " $5 " " $7 }'
else
    awk 'NR > 1 && $4 == "0A" { split($2, a, ":"); print "listen_hex=tcp " a[2] }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
fi
say resolver "$(awk '/^nameserver/ { print $2 }' /etc/resolv.conf 2>/dev/null)"
say own_name "$(getent ahostsv4 "$(uname -n)" | awk 'NR == 1 { print $1 }')"
{ env; cat /etc/environment 2>/dev/null; } | grep -io '^\(http\|https\|no\)_proxy=.' | sed 's/=.*//; s/^/proxy=/' | sort -u
# --- kernel
for module in overlay br_netfilter vxlan nf_conntrack nf_tables ip_vs; do
    if grep -qs "^$module " /proc/modules || [ -d "/sys/module/$module" ]; then say module "$module loaded"
    elif has modprobe && modprobe -nq "$module" 2>/dev/null; then say module "$module available"; fi
done
awk '{ print "filesystem=" $NF }' /proc/filesystems
(cd /proc/sys && grep -s . net/ipv4/ip_forward net/ipv4/ip_nonlocal_bind net/bridge/bridge-nf-call-iptables \
    fs/inotify/max_user_instances fs/inotify/max_user_watches fs/file-max vm/overcommit_memory kernel/panic \
    net/ipv4/conf/all/rp_filter) | awk -F: '{ gsub("/", ".", $1); print "sysctl=" $1 " " $2 }'
say open_files "$(ulimit -n)"
say selinux "$(has getenforce && getenforce || echo none)"
say apparmor "$(first /sys/module/apparmor/parameters/enabled)"
swaps=$(awk 'NR > 1 { print $1 }' /proc/swaps); say swap "$swaps"
# --- software
has dpkg && say package_tool dpkg
has rpm && say package_tool rpm
has dpkg-query && dpkg-query -W -f='package=${Package} ${Version} ${db:Status-Abbrev}\n' 2>/dev/null
if has dpkg; then
    say dpkg_locked "$(has python3 && python3 -IS -c '
import fcntl
try: fcntl.lockf(open("/var/lib/dpkg/lock-frontend", "a"), fcntl.LOCK_EX | fcntl.LOCK_NB); print("no")
except OSError: print("yes")' 2>/dev/null)"
    dpkg --audit 2>/dev/null | grep -q . && say dpkg_broken yes
fi
for program in containerd runc kubelet kubeadm kubectl haproxy keepalived nft iptables conntrack ethtool socat chronyd crictl python3 \
    apparmor_parser bash flock gzip ip modprobe mount nsenter sha256sum systemd-run tar; do
    has $program && say program "$program $(command -v $program)"
done
has containerd && say containerd "$(containerd --version | awk '{ print $3 }' | sed 's/^v//; s/[~+].*//')"
has kubelet && say kubelet "$(kubelet --version 2>/dev/null | awk '{ print $2 }')"
has systemctl && systemctl show --property=Id,LoadState,UnitFileState,ActiveState containerd kubelet haproxy keepalived docker crio etcd \
    chrony systemd-timesyncd ntp ntpsec firewalld ufw nftables iptables idcbench-guard 2>/dev/null |
    awk -v RS= -F '\n' '{ for (i = 1; i <= NF; i++) { at = index($i, "="); of[substr($i, 1, at - 1)] = substr($i, at + 1) }
        sub(/\.service$/, "", of["Id"]); if (of["LoadState"] != "not-found") print "unit=" of["Id"] " " of["UnitFileState"] " " of["ActiveState"] }'
has systemctl && systemctl list-units --plain --no-legend --state=active,activating 'idcbench-step-*' | awk '{ print "step=" $1 }'
# programs that idcbench installed, as long as nobody has touched them since
while read -r digest stamp path; do
    [ "$(stat -c %s:%Y "$path" 2>/dev/null)" = "$stamp" ] && say installed "$path $digest"
done 2>/dev/null < /var/lib/idcbench/installed
# --- Kubernetes
[ -e /etc/kubernetes/idcbench.json ] && say mark "$(cat /etc/kubernetes/idcbench.json)"
for path in /etc/kubernetes/admin.conf /etc/kubernetes/kubelet.conf /etc/kubernetes/bootstrap-kubelet.conf /var/lib/kubelet/config.yaml; do
    [ -e $path ] && say exists $path
done
[ -e /etc/kubernetes/kubelet.conf ] && say joined_to "$(awk '/server:/ { print $2; exit }' /etc/kubernetes/kubelet.conf)"
for name in kube-apiserver kube-controller-manager kube-scheduler etcd; do
    [ -e /etc/kubernetes/manifests/$name.yaml ] && say manifest $name
done
[ -e /etc/kubernetes/idcbench/resting/kube-scheduler.yaml ] && say resting kube-scheduler
sed -n 's/^ *\(controlPlaneEndpoint\|podSubnet\|serviceSubnet\|dnsDomain\): */setting=\1 /p' /etc/kubernetes/idcbench/control-plane.yaml 2>/dev/null
sed -n 's/.*--node-ip=\([0-9.]*\).*/node_ip=\1/p' /var/lib/kubelet/kubeadm-flags.env 2>/dev/null
for file in /etc/cni/net.d/*; do [ -f "$file" ] && say cni "$file"; done
[ -d /var/lib/etcd/member ] && say etcd_data yes
for file in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /var/lib/kubelet/pki/kubelet-client-current.pem; do # certificates, never keys
    [ -f "$file" ] && awk -v file="$file" '/-END CERT/ { print "certificate=" file " " text; exit } inside { text = text $0 } /-BEGIN CERT/ { inside = 1 }' "$file"
done
[ -f /etc/kubernetes/pki/ca.crt ] && say authority "$(sha256sum /etc/kubernetes/pki/ca.crt | cut -c1-64)"
[ -S /run/containerd/containerd.sock ] && ctr --timeout 5s -n k8s.io images ls 2>/dev/null | awk 'NR > 1 { print "image=" $1 " " $3 }'
# --- files that idcbench writes
for file in "$@"; do
    [ -f "$file" ] && printf 'file=%s %s %s\n' "$(sha256sum "$file" | cut -c1-64)" "$(stat -c '%a %U:%G' "$file")" "$file"
done
say complete yes
