"""Debian packages for hosts that have next to nothing: chosen and fetched by apt, in a state of its own.

apt checks signatures and digests. This machine's own packages, lists and pins have no part in it, and nothing of them
changes; where it fetches from does: its own mirrors of Debian and its proxy are used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ...errors import ArtifactError, UsageError
from .lock import alone

CODENAMES = {"debian-12": "bookworm", "debian-13": "trixie"}
WANTED = (
    "containerd", "runc", "haproxy", "keepalived", "nftables", "iptables", "conntrack", "ethtool", "socat", "chrony",
    "kmod", "procps", "util-linux", "mount",
)  # fmt: skip
"""What a host of a cluster runs, and what kubeadm's preflight looks for."""
HOST = (
    "apt",
    "usr-is-merged",
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "sudo",
    "python3-minimal",
    "iproute2",
)
"""What a host is taken to have, besides what Debian calls essential or required, with all that these depend on.

debootstrap makes a merged /usr; without ``usr-is-merged`` apt would choose the other way to it, which brings perl.
"""
LIMIT_S = 600.0
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SITE = "http://deb.debian.org/debian"
_OF_THE_ARCHIVE = ("Filename:", "Size:", "MD5sum:", "SHA256:")
"""What dpkg allows no installed package to have."""
_WHAT_IS_FETCHED = ("Acquire::IndexTargets", "Acquire::Languages")
_TARGET = "$(CREATED_BY) $(ORIGIN) $(RELEASE) $(REPO_URI)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package file. ``version`` is Debian's, with its epoch."""

    name: str
    version: str
    file: Path


def check_distribution(name: str) -> str:
    """``name`` when its packages are known. Raises :class:`~idcbench.errors.UsageError`."""
    if name not in CODENAMES:
        raise UsageError(f"--distribution {name}: no packages are known for it; there are {', '.join(CODENAMES)}")
    return name


@dataclass(frozen=True, slots=True)
class Apt:
    """apt for one distribution and architecture, with its lists and downloads below ``folder``."""

    distribution: str
    architecture: str
    folder: Path

    @classmethod
    def ready(cls, distribution: str, architecture: str, *, cache: Path) -> Apt:
        """With fresh lists. Raises :class:`~idcbench.errors.ArtifactError` where there is no apt, key or network."""
        for tool in ("apt-get", "apt-cache", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise ArtifactError(
                    f"packages for {distribution} are chosen by {tool}, which this machine lacks; create the bundle on "
                    "Debian or Ubuntu, or in a container of it"
                )
        if not _KEYRING.exists():
            raise ArtifactError(f"{_KEYRING} is missing; type: sudo apt-get install debian-archive-keyring")
        apt = cls(distribution, architecture, cache / "apt" / f"{distribution}-{architecture}")
        for place in ("state/lists/partial", "cache/archives/partial", "nothing/partial"):
            (apt.folder / place).mkdir(parents=True, exist_ok=True)
        with alone(apt.folder / "lock", doing=f"packages for {distribution}", progress=lambda *_, **__: None):
            apt._configure()
            apt.run("apt-get", "update")
        os.utime(apt.folder.parent)  # `artifacts prune` leaves what was used of late
        return apt

    def closure(self, names: Sequence[str], *, installed: Sequence[str] = ()) -> list[Package]:
        """The packages and all that they depend on beyond ``installed`` and its dependencies; by name.

        They are fetched when they are not here. Raises :class:`~idcbench.errors.ArtifactError`.
        """
        given = self._installed(installed) if installed else self.folder / "empty"
        self.run("apt-get", *_having(given), "--yes", "--download-only", "install", *names)
        archives = self.folder / "cache" / "archives"
        found = (_package(archives / file) for file in self._files(names, given))
        return sorted(found, key=lambda package: package.name)

    def only(self, name: str) -> Package:
        """A package without what it depends on. Raises :class:`~idcbench.errors.ArtifactError`."""
        archives = self.folder / "cache" / "archives"
        line = self.run("apt-get", "--print-uris", "download", name)
        self.run("apt-get", "download", name, folder=archives)
        return _package(archives / line.split()[1])

    def required(self) -> list[str]:
        """The packages without which Debian is none: essential ones and those of priority required."""
        stanzas = self.run("apt-cache", "dumpavail").split("\n\n")
        return sorted({name for name in map(_required, stanzas) if name})

    def run(self, *argv: str, folder: Path | None = None) -> str:
        """What the command prints, run in ``folder``.

        Raises :class:`~idcbench.errors.ArtifactError` with its last words.
        """
        command = [argv[0], "-qq", *argv[1:]]
        environment = _ENVIRONMENT | {"APT_CONFIG": str(self.folder / "apt.conf")}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT_S, check=False, env=environment, cwd=folder
            )
        except subprocess.TimeoutExpired:
            raise ArtifactError(f"{argv[0]} for {self.distribution} did not end within {LIMIT_S:g} s") from None
        if done.returncode:
            said = " / ".join(done.stderr.strip().splitlines()[-3:])
            raise ArtifactError(
                f"{argv[0]} {argv[-1]} for {self.distribution}: {said}; see that what "
                f"{self.folder / 'sources.list'} names can be reached"
            )
        return done.stdout

    def _configure(self) -> None:
        """Write what apt is to go by: nothing of this machine's configuration but how things are fetched."""
        settings = {
            "Dir::State": self.folder / "state",
            "Dir::State::Status": self.folder / "empty",
            "Dir::Cache": self.folder / "cache",
            "Dir::Etc::Main": "/dev/null",
            "Dir::Etc::Parts": "/dev/null",
            "Dir::Etc::SourceList": self.folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "",
            "Acquire::Languages": "none",
        }
        fetching = subprocess.run(
            ["apt-config", "dump", "Acquire"], capture_output=True, text=True, timeout=60, check=True
        )
        lines = "".join(f'{name} "{value}";\n' for name, value in settings.items())
        how = "".join(f"{line}\n" for line in fetching.stdout.splitlines() if not line.startswith(_WHAT_IS_FETCHED))
        (self.folder / "apt.conf").write_text(how + lines)
        mirrors = sources(CODENAMES[self.distribution], _targets())
        (self.folder / "sources.list").write_text("".join(f"{line}\n" for line in mirrors))
        self._status("")

    def _installed(self, names: Sequence[str]) -> Path:
        """What dpkg would say where these are installed, and whatever makes a Debian."""
        files = self._files((*names, *self.required()), self.folder / "empty")
        return self._status("".join(self._stanzas([_package(Path(file)).name for file in files])))

    def _files(self, names: Sequence[str], status: Path) -> list[str]:
        """The names of the package files to install, whether they are here or not."""
        empty = ("-o", f"Dir::Cache::Archives={self.folder / 'nothing'}")
        lines = self.run("apt-get", *_having(status), *empty, "--print-uris", "--yes", "install", *names).splitlines()
        return [line.split()[1] for line in lines if line.startswith("'")]

    def _stanzas(self, names: Sequence[str]) -> Iterator[str]:
        for stanza in self.run("apt-cache", "show", "--no-all-versions", *names).split("\n\n"):
            lines = [line for line in stanza.splitlines() if line and not line.startswith(_OF_THE_ARCHIVE)]
            if lines:
                yield "\n".join([*lines, "Status: install ok installed", "", ""])

    def _status(self, stanzas: str) -> Path:
        """A file that says what is installed, as dpkg would."""
        path = self.folder / ("installed" if stanzas else "empty")
        path.write_text(stanzas)
        return path


def sources(codename: str, targets: Sequence[tuple[str, str]]) -> list[str]:
    """The lines of sources.list for a release of Debian; ``targets`` are the (release, URI) of this machine's own."""
    main = next((uri for release, uri in targets if not release.endswith(("-security", "-backports"))), _SITE)
    security = next((uri for release, uri in targets if release.endswith("-security")), f"{_SITE}-security")
    suites = ((main, codename), (main, f"{codename}-updates"), (security, f"{codename}-security"))
    return [f"deb [signed-by={_KEYRING}] {uri} {suite} main" for uri, suite in suites]


def _targets() -> list[tuple[str, str]]:
    """Which releases of Debian this machine fetches, and from where."""
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", _TARGET], capture_output=True, text=True, timeout=60, check=False
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return [(row[2], row[3]) for row in rows if len(row) == 4 and row[:2] == ["Packages", "Debian"]]


def _required(stanza: str) -> str:
    lines = stanza.splitlines()
    if "Essential: yes" in lines or "Priority: required" in lines:
        return next((line.partition(": ")[2] for line in lines if line.startswith("Package: ")), "")
    return ""


def _package(file: Path) -> Package:
    name, version, _ = file.name.removesuffix(".deb").split("_")
    return Package(name=name, version=unquote(version), file=file)


def _having(status: Path) -> tuple[str, str]:
    return "-o", f"Dir::State::Status={status}"


_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
