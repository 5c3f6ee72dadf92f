"""A release site on loopback that can misbehave, and a `go` that only pretends to compile."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from idcbench.errors import ArtifactError
from idcbench.provisioning.artifacts.options import Patience, SourceOptions, default_cache
from idcbench.provisioning.artifacts.packages import Apt
from idcbench.provisioning.artifacts.parts import BINARIES, machine_arch

QUICK = Patience(reach_s=2.0, stall_s=1.0, low_bytes_per_s=50_000, low_for_s=0.3, retries=2, pause_s=0.0)


@dataclass
class Site:
    """What a server holds, what it does wrong, and what it was asked for (path, Range header)."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)  # after so many bytes of each successive answer
    statuses: dict[str, list[int]] = field(default_factory=dict)  # answered first, one after the other
    slow: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    no_ranges: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def add_release(self, kubernetes: str = "1.37.2", etcd: str = "3.7.3", kwok: str = "0.8.0") -> None:
        """Fill in the layout of the official releases."""
        arch = machine_arch()
        for name in BINARIES["kubernetes"]:
            path = f"/release/v{kubernetes}/bin/linux/{arch}/{name}"
            self.files[path] = program(f"{name} v{kubernetes}")
            self.files[f"{path}.sha256"] = sha256(self.files[path]).encode()
        folder = f"/etcd-io/etcd/releases/download/v{etcd}"
        archive = f"etcd-v{etcd}-linux-{arch}"
        packed = tar({f"{archive}/README.md": b"hello", f"{archive}/etcd": program(f"etcd Version: {etcd}")})
        self.files[f"{folder}/{archive}.tar.gz"] = packed
        self.files[f"{folder}/SHA256SUMS"] = f"{'0' * 64}  other.zip\n{sha256(packed)}  {archive}.tar.gz\n".encode()
        path = f"/kubernetes-sigs/kwok/releases/download/v{kwok}/kwok-linux-{arch}"
        self.files[path] = program(f"kwok version v{kwok}")
        self.files[f"{path}.sha256"] = f"{sha256(self.files[path])}  kwok-linux-{arch}\n".encode()

    def fetched(self, ending: str) -> list[str | None]:
        """The Range headers of the requests for a path with this ending."""
        return [ranged for path, ranged in self.asked if path.endswith(ending)]


def program(says: str) -> bytes:
    """A script that prints its version, with some ballast."""
    return f"#!/bin/sh\necho '{says}'\nexit 0\n".encode() + b"#" * 5000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tar(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: Site) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site = site


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        site, path, ranged = self.server.site, self.path, self.headers.get("Range")
        site.asked.append((path, ranged))
        site.authorizations.append(self.headers.get("Authorization"))
        if path in site.silent:
            site.closing.wait(10)
            return
        if site.statuses.get(path):
            self.send_error(site.statuses[path].pop(0))
            return
        if path not in site.files:
            self.send_error(404)
            return
        self._answer(site, path, ranged)

    def _answer(self, site: Site, path: str, ranged: str | None) -> None:
        content = site.files[path]
        start = int(ranged.removeprefix("bytes=").removesuffix("-")) if ranged and not site.no_ranges else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        body = content[start:]
        if site.cuts.get(path):
            body = body[: site.cuts[path].pop(0)]
        if path in site.slow:
            self._trickle(site, body)
        else:
            self.wfile.write(body)

    def _trickle(self, site: Site, body: bytes) -> None:
        for byte in body:
            try:
                self.wfile.write(bytes([byte]))
            except OSError:
                return
            if site.closing.wait(0.02):
                return


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty release site."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    site = Site()
    server = _Server(site)
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    site.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., SourceOptions]:
    """Options with a cache of their own, no mirror, and little patience."""

    def make(**changes: object) -> SourceOptions:
        return SourceOptions(**{"cache": tmp_path / "cache", "mirror": None, "patience": QUICK, **changes})  # type: ignore[arg-type]

    return make


@dataclass
class Said:
    """A progress that remembers."""

    lines: list[str] = field(default_factory=list)
    amounts: list[tuple[str, float, float | None, str]] = field(default_factory=list)

    def __call__(self, what: str, *, done: float = 0, total: float | None = None, unit: str = "") -> None:
        self.amounts.append((what, done, total, unit))
        if what not in self.lines[-1:]:
            self.lines.append(what)


@pytest.fixture
def said() -> Said:
    return Said()


_FAKE_GO = """
import json, os, pathlib, sys, time
state = pathlib.Path(os.environ["FAKE_GO"])
settings = json.loads((state / "settings.json").read_text())
args = sys.argv[1:]
with (state / "calls").open("a") as calls:
    calls.write(" ".join(args) + chr(10))
if args[0] == "env":
    print(json.dumps({"GOVERSION": settings["version"], "GOTOOLCHAIN": settings["toolchain"], "GOCACHE": str(state)}))
elif args[:2] == ["mod", "download"]:
    module, _, version = args[-1].partition("@")
    if version not in settings["versions"]:
        print(json.dumps({"Error": f"{module}@{version}: reading proxy: 404 Not Found"}))
        sys.exit(1)
    print(f"go: downloading {module} {version}", file=sys.stderr)
    (state / "info").write_text(json.dumps({"Version": version, "Time": "2026-10-27T12:01:04Z"}))
    (state / "mod").write_text(f"module {module}\\n\\ngo 1.26.0\\n\\nrequire (\\n\\tk8s.io/api v0.0.0\\n)\\n")
    print(json.dumps({"Info": str(state / "info"), "GoMod": str(state / "mod")}))
elif args[0] == "list":
    print("\\n".join(settings["packages"]))
elif args[0] == "build":
    cache = state / "compiled"
    compiled = cache.read_text().split() if cache.exists() else []
    for package in settings["packages"]:
        if package in compiled:
            continue
        print(package, file=sys.stderr, flush=True)
        if package == settings["hang_at"]:
            (state / "hanging").write_text(str(os.getpid()))
            while not (state / "go_on").exists():
                if not settings["quiet"]:
                    print("go: still there", file=sys.stderr, flush=True)
                time.sleep(0.02)
        with cache.open("a") as file:
            file.write(package + chr(10))
    if settings["fail"]:
        print(settings["fail"], file=sys.stderr)
        sys.exit(1)
    version = [line for line in open("go.mod").read().splitlines() if line.startswith("require ")][0].split()[-1]
    output = pathlib.Path(args[args.index("-o") + 1])
    output.write_text(f"#!/bin/sh\\necho {settings['says'] or version}\\n")
    output.chmod(0o755)
"""


@dataclass
class FakeGo:
    """A `go` on PATH. ``packages`` are what it compiles; it stops at ``hang_at`` until :meth:`go_on`."""

    state: Path
    version: str = "go1.26.8"
    toolchain: str = "local"
    versions: tuple[str, ...] = ("v1.37.2", "v3.7.3", "v0.8.0")
    packages: tuple[str, ...] = ("fmt", "k8s.io/api", "k8s.io/apimachinery", "main")
    hang_at: str = ""
    quiet: bool = False
    fail: str = ""
    says: str = ""

    def save(self) -> None:
        """Make the settings hold for the next call."""
        settings = {name: value for name, value in vars(self).items() if name != "state"}
        (self.state / "settings.json").write_text(json.dumps(settings))

    def calls(self, verb: str) -> list[str]:
        """The calls of `go VERB`."""
        log = self.state / "calls"
        return [line for line in (log.read_text().splitlines() if log.exists() else []) if line.startswith(verb)]

    @property
    def hanging(self) -> int | None:
        """The process that stopped at ``hang_at``."""
        mark = self.state / "hanging"
        return int(mark.read_text() or 0) or None if mark.exists() else None

    def go_on(self) -> None:
        """Let it go on."""
        (self.state / "go_on").touch()


@pytest.fixture
def fake_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGo:
    """The pretending `go`, first on PATH."""
    state, programs = tmp_path / "go-state", tmp_path / "go-bin"
    state.mkdir()
    programs.mkdir()
    script = programs / "go"
    script.write_text(f"#!{sys.executable}\n{_FAKE_GO}")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_GO", str(state))
    go = FakeGo(state)
    go.save()
    return go


@pytest.fixture(scope="session")
def apt() -> Apt:
    """apt for Debian 12 in the cache, as a bundle has it."""
    try:
        return Apt.ready("debian-12", machine_arch(), cache=default_cache())
    except ArtifactError as error:
        pytest.skip(f"packages cannot be had here: {error}")
