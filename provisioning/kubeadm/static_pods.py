"""The static pods of a control plane by changed settings: made anew by kubeadm, on one host after the other."""

from __future__ import annotations

from . import paths
from .own_scheduler import MANIFEST, RESTING
from .scripts import until_ready
from .wanted import WantedFile

RENEW_S = 300.0
NEW = f"{paths.CONTROL_PLANE}.new"
UPLOAD = f"kubeadm init phase upload-config kubeadm --config {NEW}\n"
"""Hosts that join from then on take the settings from the cluster."""
RENEW = f"""\
now={paths.ETC}/manifests before={paths.STATE}/manifests-before
# what ran before an attempt that was cut off, or before this one
[ -d $before ] || {{ rm -rf $before.new; cp -r $now $before.new; mv $before.new $before; }}
kubeadm init phase control-plane all --config {NEW} >/dev/null
kubeadm init phase etcd local --config {NEW} >/dev/null
[ ! -e {RESTING} ] || mv {MANIFEST} {RESTING}
started() {{ crictl inspect --output go-template --template '{{{{.status.startedAt}}}}' "$1"; }}
for name in {" ".join(paths.STATIC_PODS)}; do
    manifest=$now/$name.yaml
    if [ ! -e $manifest ] || cmp -s $manifest $before/$name.yaml; then continue; fi
    echo "$name by other settings"
    until id=$(crictl ps -q --state Running --name "^$name\\$" | head -n 1) && [ -n "$id" ] &&
        [ "$(date -d "$(started "$id")" +%s)" -ge "$(stat -c %Y $manifest)" ]; do sleep 0.3; done
done
"""
SETTLE = f"""\
mv {NEW} {paths.CONTROL_PLANE}
rm -rf $before
"""


def renewal(address: str) -> str:
    """The script for the control plane at ``address``.

    It ends when what changed runs anew and the API server is ready, and begins again from the top when it was cut off,
    as the settings come to their place last.
    """
    return RENEW + until_ready(address) + SETTLE


def in_waiting(settings: WantedFile) -> WantedFile:
    """The settings under the name that they have until the static pods follow them."""
    return WantedFile(path=NEW, content=settings.content, mode=settings.mode)
