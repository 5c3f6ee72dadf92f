"""What a host image is made of: a distribution, a few packages, and the settings that make a container a machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

PACKAGES = ("systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "python3-minimal", "iproute2")
DISTRIBUTIONS = {"debian-12": "bookworm", "debian-13": "trixie"}
BOOT = r"""#!/bin/sh
# Docker lays its own files over these; a machine has its own, and they outlive a power cut.
for file in hosts hostname resolv.conf; do
    given=$(cat /etc/$file)
    umount /etc/$file 2>/dev/null
    [ -s /etc/$file ] || printf '%s\n' "$given" >/etc/$file
done
grep -q '127.0.0.11' /etc/resolv.conf && printf 'nameserver %s\n' "$LAB_GATEWAY" >/etc/resolv.conf
# A default route, as machines in a rack have one; behind it is nothing.
ip route replace default via "$LAB_GATEWAY" 2>/dev/null
if [ -e /sys/class/dmi/id/product_uuid ]; then
    [ -s /etc/product_uuid ] || cat /proc/sys/kernel/random/uuid >/etc/product_uuid
    mount --bind /etc/product_uuid /sys/class/dmi/id/product_uuid
fi
exec /sbin/init
"""
HOST_KEY = """[Unit]
Before=ssh.service
ConditionFileNotEmpty=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'rm -f /etc/ssh/new_key* && ssh-keygen -q -t ed25519 -N "" -C "" -f /etc/ssh/new_key && \
mv /etc/ssh/new_key.pub /etc/ssh/ssh_host_ed25519_key.pub && mv /etc/ssh/new_key /etc/ssh/ssh_host_ed25519_key'
[Install]
WantedBy=multi-user.target
"""
SSHD = "HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin no\nPasswordAuthentication no\n"
FILES = {
    "sbin/lab-boot": (BOOT, 0o755),
    "etc/systemd/system/host-key.service": (HOST_KEY, 0o644),
    "etc/ssh/sshd_config.d/lab.conf": (SSHD, 0o644),
    "etc/sudoers.d/ops": ("ops ALL=(ALL) NOPASSWD: ALL\n", 0o440),
    "etc/systemd/journald.conf.d/lab.conf": ("[Journal]\nReadKMsg=no\n", 0o644),
}
MASKED = ("getty@tty1.service", "console-getty.service", "systemd-modules-load.service", "apt-daily.timer",
          "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer")  # fmt: skip
"""Of the machine below, not the host's: its consoles, kernel modules, file systems; and what needs the internet."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image. Equal digests mean equal images, but for the packages' versions on the day."""

    distribution: str

    @property
    def suite(self) -> str:
        return DISTRIBUTIONS[self.distribution]

    @property
    def finish(self) -> str:
        """The shell script that runs in the new root; its standard input is not used."""
        lay = "".join(_here(path, text, mode) for path, (text, mode) in FILES.items())
        return f"""set -eu
useradd --create-home --shell /bin/bash ops
{lay}
ln -sf /dev/null /etc/sysctl.d/50-pid-max.conf
systemctl mask --quiet {" ".join(MASKED)}
systemctl enable --quiet host-key.service
rm -rf /etc/ssh/ssh_host_* /var/cache/apt/* /var/lib/apt/lists/* /var/log/*.log /usr/share/doc/* /usr/share/locale/*
rm -f /var/lib/dbus/machine-id
: >/etc/machine-id
"""

    @property
    def digest(self) -> str:
        parts = (self.suite, *PACKAGES, self.finish)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    @property
    def tag(self) -> str:
        return f"idcbench-lab:{self.distribution}-{self.digest}"


def _here(path: str, text: str, mode: int) -> str:
    folder = path.rpartition("/")[0]
    return f"mkdir -p /{folder}\ncat >/{path} <<'END-OF-FILE'\n{text}END-OF-FILE\nchmod {mode:o} /{path}\n"
