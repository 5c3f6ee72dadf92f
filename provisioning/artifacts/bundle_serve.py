"""A bundle over HTTP, to read: its blobs by digest, and its images as a registry has them (OCI distribution-spec v1.1).

    /bundle.json, /blobs/sha256/DIGEST         what `bundle list` shows, and each blob
    /v2/NAME/manifests/REFERENCE, /v2/NAME/blobs/DIGEST, /v2/NAME/tags/list

``?ns=registry.k8s.io`` is what containerd adds when it asks a mirror; without it the first image of that path is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec

from .bundle import Bundle
from .bundle_layout import Place
from .bundle_schema import BundleEntry
from .oci import MANIFEST

_BLOB = re.compile(r"/blobs/sha256/(?P<digest>[0-9a-f]{64})")
_IMAGE_BLOB = re.compile(r"/v2/(?P<name>.+)/blobs/sha256:(?P<digest>[0-9a-f]{64})")
_MANIFEST = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")
_TAGS = re.compile(r"/v2/(?P<name>.+)/tags/list")
_RANGE = re.compile(r"bytes=(\d+)-")
_OCTETS = "application/octet-stream"
IDLE_S = 30.0
"""A connection that says nothing for so long is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a path means: a member of the bundle, or a small text; ``digest`` as OCI writes it, or empty."""

    kind: str
    place: Place | None = None
    text: bytes = b""
    digest: str = ""

    @property
    def size_bytes(self) -> int:
        return self.place.size_bytes if self.place else len(self.text)


def find(bundle: Bundle, path: str) -> Answer | None:
    """The answer for a path with its query; ``None`` when the bundle has no such thing."""
    url = urlsplit(path)
    registry = (parse_qs(url.query).get("ns") or [""])[0]
    if url.path in ("/v2", "/v2/"):
        return Answer(kind="application/json", text=b"{}")
    if url.path == "/bundle.json":
        return Answer(kind="application/json", place=bundle.layout.manifest)
    if found := _BLOB.fullmatch(url.path) or _IMAGE_BLOB.fullmatch(url.path):
        return _stored(bundle, found["digest"], _OCTETS)
    if found := _MANIFEST.fullmatch(url.path):
        images = _images(bundle, found["name"], registry)
        image = next((one for one in images if found["reference"] in (_tag(one), f"sha256:{one.sha256}")), None)
        return _stored(bundle, image.blobs[0].sha256, MANIFEST) if image else None
    if found := _TAGS.fullmatch(url.path):
        tags = [_tag(one) for one in _images(bundle, found["name"], registry)]
        return Answer(kind="application/json", text=_json({"name": found["name"], "tags": tags})) if tags else None
    return None


def serve(bundle: Bundle, *, bind: str, port: int) -> ThreadingHTTPServer:
    """A server that listens already; ``serve_forever`` serves. Port 0 takes a free one. Raises ``OSError``."""

    class Handler(_Handler):
        served = bundle

    return ThreadingHTTPServer((bind, port), Handler)


class _Handler(BaseHTTPRequestHandler):
    served: Bundle
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        answer = find(self.served, self.path)
        if answer is None:
            text = _json({"errors": [{"code": "NOT_FOUND", "message": f"{self.path} is not in the bundle"}]})
            answer, status, first = Answer(kind="application/json", text=text), HTTPStatus.NOT_FOUND, 0
        else:
            first = self._first(answer)
            status = HTTPStatus.PARTIAL_CONTENT if first else HTTPStatus.OK
        self.send_response(status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(answer.size_bytes - first))
        self.send_header("Docker-Distribution-API-Version", "registry/2.0")
        if first:
            self.send_header("Content-Range", f"bytes {first}-{answer.size_bytes - 1}/{answer.size_bytes}")
        if answer.place:
            self.send_header("Accept-Ranges", "bytes")
        if answer.digest:
            self.send_header("Docker-Content-Digest", answer.digest)
        self.end_headers()
        for chunk in self._body(answer, first) if body else ():
            self.wfile.write(chunk)

    def _body(self, answer: Answer, first: int) -> Iterator[bytes]:
        return self.served.read(answer.place, first=first) if answer.place else iter((answer.text,))

    def _first(self, answer: Answer) -> int:
        """From which byte on a cut transfer is to go on; 0 for all of it."""
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        first = int(asked[1]) if asked and answer.place else 0
        return first if first < answer.size_bytes else 0

    def handle(self) -> None:
        """A client that goes away in the middle is nothing to report."""
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


def _stored(bundle: Bundle, digest: str, kind: str) -> Answer | None:
    place = bundle.layout.blobs.get(digest)
    return Answer(kind=kind, place=place, digest=f"sha256:{digest}") if place else None


def _images(bundle: Bundle, name: str, registry: str) -> list[BundleEntry]:
    """The images of a name such as ``coredns/coredns``, of one registry when it is named."""

    def fits(image: BundleEntry) -> bool:
        whose, _, path = image.name.rpartition(":")[0].partition("/")
        return path == name and registry in ("", whose)

    return [image for image in bundle.entries("image") if fits(image)]


def _tag(image: BundleEntry) -> str:
    return image.name.rpartition(":")[2]


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
