"""What is done on a host to one of its components: scripts of POSIX sh, each returns when the act is done.

Static pods are reached past kubelet: a crash is a signal to the container's process, and one that is to stay down has
its manifest laid aside. Everything else is a service of systemd.
"""

from __future__ import annotations

from ..kubeadm import paths

UNITS = ("haproxy", "keepalived", "kubelet", "containerd")
ABSENT = 3
"""The exit code that says: it does not run here, so there is nothing to act on."""
ACT_S = 90.0
ASIDE = f"{paths.OWN}/stopped"
"""In the same file system as kubelet's manifests, so that one is moved back whole."""
_POD = f"""\
set -eu
name=$1
manifest={paths.ETC}/manifests/$name.yaml
aside={ASIDE}/$name.yaml
container() {{ crictl ps -q --state Running --name "^$name\\$" | head -n 1; }}
process() {{
    id=$(container)
    [ -n "$id" ] || {{ echo "$name does not run here" >&2; exit {ABSENT}; }}
    crictl inspect --output go-template --template '{{{{.info.pid}}}}' "$id"
}}
"""
_STOP_POD = f"""\
[ -e "$aside" ] || {{ mkdir -p {ASIDE}; mv "$manifest" "$aside"; }}
while [ -n "$(container)" ]; do sleep 0.2; done
"""
_START_POD = """\
[ ! -e "$aside" ] || mv "$aside" "$manifest"
until [ -n "$(container)" ]; do sleep 0.2; done
"""
_OF_PODS = {
    "kill": 'pid=$(process); kill -KILL "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done',
    "freeze": 'pid=$(process); kill -STOP "$pid"',
    "thaw": 'pid=$(process); kill -CONT "$pid"',
    "stop": _STOP_POD,
    "start": _START_POD,
    "restart": _STOP_POD + _START_POD,
}
_UNIT = f"""\
set -eu
name=$1
# where only the main process is the service's (containerd: the others are pods), only that one is meant
whom=all; [ "$(systemctl show --value --property=KillMode "$name")" != process ] || whom=main
runs() {{ systemctl is-active --quiet "$name" || {{ echo "$name does not run here" >&2; exit {ABSENT}; }}; }}
"""
_OF_UNITS = {
    "kill": 'runs; systemctl kill --kill-whom="$whom" --signal=KILL "$name"',
    "freeze": 'runs; systemctl kill --kill-whom="$whom" --signal=STOP "$name"',
    "thaw": 'runs; systemctl kill --kill-whom="$whom" --signal=CONT "$name"',
    "stop": 'systemctl stop "$name"',
    "start": 'systemctl start "$name"',
    "restart": 'systemctl restart "$name"',
}
SILENT = """\
set -eu
driver=$1 port=$2
nft -f - <<RULES
table inet idcbench_silent
delete table inet idcbench_silent
table inet idcbench_silent {
    chain in {
        type filter hook prerouting priority -400; policy drop;
        iif lo accept
        ip saddr $driver tcp dport $port accept
    }
    chain out {
        type filter hook output priority -400; policy drop;
        oif lo accept
        ip daddr $driver tcp sport $port accept
    }
    chain through {
        type filter hook postrouting priority 400; policy drop;
        oif lo accept
        ip daddr $driver tcp sport $port accept
    }
}
RULES
"""
"""Loses every packet but those between the address ``$1`` and the port ``$2``: this machine and the host's sshd."""
AUDIBLE = "nft delete table inet idcbench_silent 2>/dev/null || true"
LIMIT = """\
set -eu
link=$(ip -j -4 address show to "$1" | sed -n 's/.*"ifname":"\\([^"]*\\)".*/\\1/p' | head -n 1)
if [ "$2" = 0 ]; then tc qdisc delete dev "$link" root 2>/dev/null || true
else tc qdisc replace dev "$link" root tbf rate "${2}bit" burst 64kb latency 50ms
fi
"""
"""``$1`` is an address of the host, ``$2`` bits per second, 0 for no limit; of what the host sends (tc-tbf(8))."""


def script(verb: str, component: str) -> str:
    """The script of a verb; its one argument is the component. Raises ``KeyError`` for a component nobody knows."""
    if component in paths.STATIC_PODS:
        return _POD + _OF_PODS[verb]
    if component in UNITS:
        return _UNIT + _OF_UNITS[verb]
    raise KeyError(component)
