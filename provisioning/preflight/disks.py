"""P3xx: room, and how fast the disk below etcd is."""

from __future__ import annotations

from collections.abc import Iterator

from .check import Check, check, host_check
from .evidence import Evidence, HostEvidence
from .finding import Judged, at_least, at_most, judged

GIB = 1024**3
ETCD = "/var/lib/etcd"
CONTAINERD = "/var/lib/containerd"
FULL = 0.85
"""kubelet evicts pods, and removes images, from 85 % of the images' file system on (imageGCHighThresholdPercent)."""
INODES = 100_000
FSYNC_MS = 10.0
"""etcd's own advice: p99 of the log's fsync below 10 ms (etcd.io, hardware and tuning)."""
REMOTE = {"nfs", "nfs4", "cifs", "fuse.sshfs", "9p", "ceph", "glusterfs"}
MEMORY = {"tmpfs", "ramfs"}


def _room(number: str, place: str, what: str, *, minimal_gib: float, recommended_gib: float, all_hosts: bool) -> Check:
    def judge(host: HostEvidence) -> Judged | None:
        disk = host.facts.disks.get(place)
        if disk is None or host.is_member or not (all_hosts or host.entry.is_control_plane):
            return None
        return at_least(
            disk.free_bytes / GIB,
            minimal=minimal_gib,
            recommended=recommended_gib,
            unit="GiB",
            remedy=f"make room on {disk.mount} ({disk.kind}), or mount a larger disk at {place}",
            below="warning",
        )

    judge.__doc__ = what
    return host_check(number, f"room for {place}", "error")(judge)


etcd_room = _room(
    "P301", ETCD, "etcd's data may grow to its quota of 2 GiB, and a snapshot lies beside it for a while.",
    minimal_gib=2, recommended_gib=8, all_hosts=False,
)  # fmt: skip
image_room = _room(
    "P302", CONTAINERD, "The images that a node needs take about 2 GiB unpacked; those of users come on top.",
    minimal_gib=3, recommended_gib=20, all_hosts=True,
)  # fmt: skip
pod_room = _room(
    "P303", "/var/lib/kubelet", "Volumes and scratch space of pods; kubelet evicts pods when a tenth is left.",
    minimal_gib=1, recommended_gib=5, all_hosts=True,
)  # fmt: skip
log_room = _room(
    "P304", "/var/log", "Logs of pods and of the API servers' audit; those of a full disk are lost.",
    minimal_gib=0.5, recommended_gib=2, all_hosts=True,
)  # fmt: skip
program_room = _room(
    "P305",
    "/usr/local/bin",
    "kubelet, kubeadm, kubectl and crictl.",
    minimal_gib=0.6,
    recommended_gib=1,
    all_hosts=True,
)
plugin_room = _room("P306", "/opt/cni", "Network plugins.", minimal_gib=0.1, recommended_gib=0.2, all_hosts=True)


@check("P307", "no disk is nearly full", "warning")
def not_full(evidence: Evidence) -> Iterator[tuple[str, Judged]]:
    """From 85 % on kubelet removes images, from 90 % on it evicts pods, however many bytes are left."""
    for host in evidence.hosts:
        sizes = {place: int(kib) * 1024 for place, kib in host.facts.pairs("disk_size").items()}
        mounts = {disk.mount: 1 - disk.free_bytes / sizes[place] for place, disk in host.facts.disks.items()
                  if sizes.get(place)}  # fmt: skip
        if not mounts:
            continue
        fullest = max(mounts, key=lambda mount: mounts[mount])
        yield (
            host.name,
            judged(
                mounts[fullest] < FULL,
                f"{mounts[fullest]:.0%} of {fullest}",
                wanted=f"below {FULL:.0%}",
                remedy=f"remove what is not needed: `du -xh --max-depth=2 {fullest} | sort -h | tail`",
            ),
        )


@host_check("P308", "inodes are left", "error")
def inodes(host: HostEvidence) -> Judged | None:
    """An image has tens of thousands of small files; without inodes a disk is full though bytes are left."""
    found = {place: int(count) for place, count in host.facts.pairs("inodes").items() if count.isdigit()}
    kinds = {place: disk.kind for place, disk in host.facts.disks.items()}
    counted = {place: count for place, count in found.items() if count or kinds.get(place) not in ("btrfs", "zfs")}
    if not counted:
        return None
    place = min(counted, key=lambda each: counted[each])
    return judged(
        counted[place] >= INODES,
        f"{counted[place]:,} for {place}",
        wanted=f"{INODES:,}",
        remedy="remove what has many small files, or make the file system anew with more inodes (mkfs.ext4 -N)",
    )


@host_check("P309", "the disks can be written", "error")
def writable(host: HostEvidence) -> Judged:
    """A disk with errors is mounted read-only by the kernel, and nothing says so but the log."""
    found = host.facts.all("read_only")
    return judged(
        not found,
        ", ".join(found) or "all",
        wanted="all places of the cluster",
        remedy="see `dmesg` and /etc/fstab; after a repair: mount -o remount,rw",
    )


@host_check("P310", "images lie on a disk that overlayfs takes", "error")
def image_disk(host: HostEvidence) -> Judged | None:
    """containerd's snapshots are overlay mounts, which cannot lie on an overlay or on most network disks."""
    disk = host.facts.disks.get(CONTAINERD)
    if disk is None:
        return None
    return judged(
        disk.kind not in {"overlay", "vfat", *REMOTE},
        f"{disk.kind} at {disk.mount}",
        wanted="ext4 or xfs",
        remedy=f"mount a disk of its own at {CONTAINERD} or /var (a container: -v /var)",
    )


@host_check("P311", "etcd lies on a disk of the host", "error")
def etcd_disk(host: HostEvidence) -> Judged | None:
    """What lies in memory is lost at a restart, and a network disk stops etcd whenever the network halts."""
    disk = host.facts.disks.get(ETCD)
    if disk is None or not host.entry.is_control_plane:
        return None
    return judged(
        disk.kind not in REMOTE | MEMORY,
        f"{disk.kind} at {disk.mount}",
        wanted="a local disk",
        remedy=f"mount a local disk at {ETCD}",
    )


@host_check("P312", "the disk below etcd syncs quickly", "error", measures=True)
def sync(host: HostEvidence) -> Judged | None:
    """Measured: 2,300 bytes and fdatasync, up to 500 times in 2 s, as etcd's log does for each write."""
    said = host.measured.one("sync_us").split()
    if len(said) != 4:
        return None
    count, p50, p99, most = (int(each) for each in said)
    found = at_most(
        p99 / 1e3,
        limit=25 * FSYNC_MS,
        recommended=FSYNC_MS,
        unit="ms",
        remedy="give etcd an SSD of its own, end what else writes there, or say profile: slow-disk",
        beyond="warning",
    )
    text = f"p99 {p99 / 1e3:.1f} ms, p50 {p50 / 1e3:.1f} ms, longest {most / 1e3:.0f} ms of {count}"
    return Judged(found=text, wanted=f"p99 {found.wanted}", minimal=f"p99 {found.minimal}", level=found.level,
                  remedy=found.remedy)  # fmt: skip


@host_check("P313", "the disk below etcd can be written by etcd", "error", measures=True)
def syncs(host: HostEvidence) -> Judged | None:
    """The measurement writes a file there and removes it."""
    why = host.measured.one("sync_error")
    if not why and not host.measured.one("sync_us"):
        return None
    return judged(
        not why, why or "written", wanted="a file can be written and synced", remedy="see `df -i`, `mount` and `dmesg`"
    )
