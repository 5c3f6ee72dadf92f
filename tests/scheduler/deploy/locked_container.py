"""A container as a pod of the Deployment has it: the image's root read-only, a stranger's user id, no capability.

Made of namespaces, by whoever may make them; the network is that of the caller, or of a host of an embedded cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from idcbench.hosts.netns import NetnsHost

DEVICES = ("null", "urandom")
MADE = ("proc", "dev", "var/run/secrets/kubernetes.io/serviceaccount")
"""Mount points that a runtime makes, whether the image has them or not."""
ENTER = """set -eu
root=$1 user=$2; shift 2
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
for device in null urandom; do mount --bind "/dev/$device" "$root/dev/$device"; done
mount -o remount,bind,ro,nosuid,nodev "$root"
exec setpriv --no-new-privs unshare --user --map-user="$user" --map-group="$user" --root="$root" --wd=/ -- "$@"
"""
FORBIDDING = """
import runpy, sys
import llvmlite.binding as llvm
llvm.get_host_cpu_name = lambda: "k8-sse3"
llvm.get_host_cpu_features = lambda: llvm.FeatureMap()
from numba.core import dispatcher
def forbidden(*_):
    raise RuntimeError("the compiler was called")
dispatcher._FunctionCompiler.compile = forbidden
assert sys.argv[1] == "-m"
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""Python's ``-c`` before ``-m MODULE``: on another processor, and whatever numba would compile is an error."""


def furnish(root: Path) -> None:
    """Make the mount points in a root that is not in use yet."""
    for place in MADE:
        (root / place).mkdir(parents=True, exist_ok=True)
    for device in DEVICES:
        (root / "dev" / device).touch()


def command(root: Path, user: str, argv: Sequence[str], *, host: NetnsHost | None = None) -> list[str]:
    """The command line; every program in it becomes the next without a fork, so that signals reach the last."""
    uid = user.partition(":")[0]
    own = ["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c", ENTER, "enter", str(root), uid, *argv]
    return [*_network(host), *own] if host else own


def _network(host: NetnsHost) -> list[str]:
    process = Path(f"/proc/{host.supervisor}")
    mine = Path("/proc/self/ns/user").stat().st_ino == (process / "ns/user").stat().st_ino
    user = [] if mine else ["--user", "--preserve-credentials"]
    return ["nsenter", f"--target={host.supervisor}", *user, f"--net={process}/root/run/netns/{host.name}", "--"]


def forbidding(entrypoint: Sequence[str]) -> list[str]:
    """The entry point ``python -m MODULE …`` on another processor, with the compiler forbidden."""
    python, *rest = entrypoint
    return [python, "-c", FORBIDDING, *rest]
