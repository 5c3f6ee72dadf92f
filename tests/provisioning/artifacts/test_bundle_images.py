"""Images in a bundle: as an archive for a runtime, and as a registry has them."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from idcbench.provisioning.artifacts.bundle import Bundle
from idcbench.provisioning.artifacts.bundle_serve import serve
from idcbench.provisioning.artifacts.failure import BundleError

from .bundles import written

APISERVER = "/v2/kube-apiserver/manifests/v1.37.2"


@pytest.fixture
def opened(tmp_path: Path) -> Bundle:
    return Bundle.open(written(tmp_path, {"kubelet": b"0123456789"}, images=True))


@pytest.fixture
def server(opened: Bundle) -> Iterator[tuple[str, int]]:
    with serve(opened, bind="127.0.0.1", port=0) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield str(made.server_address[0]), int(made.server_address[1])
        made.shutdown()
        thread.join()


Answer = tuple[int, dict[str, str], bytes]


def ask(server: tuple[str, int], path: str, *, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection(*server, timeout=5)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def test_an_archive_is_an_oci_layout_with_each_blob_once(opened: Bundle) -> None:
    images = opened.entries("image")
    packed = b"".join(opened.image_archive(images))
    assert len(packed) == opened.image_archive_size(images)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        members = archive.getmembers()
        stored = {member.name: archive.extractfile(member).read() for member in members}  # type: ignore[union-attr]
    assert len(stored) == len(members)
    assert json.loads(stored["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    described = json.loads(stored["index.json"])["manifests"]
    assert [one["annotations"]["io.containerd.image.name"] for one in described] == [one.name for one in images]

    def blob(descriptor: dict[str, Any]) -> bytes:
        content = stored["blobs/" + descriptor["digest"].replace(":", "/")]
        assert (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}") == (
            descriptor["size"],
            descriptor["digest"],
        )
        return content

    for one in described:
        manifest = json.loads(blob(one))
        config = json.loads(blob(manifest["config"]))
        layers = [hashlib.sha256(gzip.decompress(blob(layer))).hexdigest() for layer in manifest["layers"]]
        assert config["rootfs"]["diff_ids"] == [f"sha256:{layer}" for layer in layers]


def test_an_image_alone_is_an_archive_too(opened: Bundle) -> None:
    (image, *_) = opened.entries("image")
    assert b"".join(opened.chunks(image)) == b"".join(opened.image_archive([image]))


def test_an_image_is_found_by_its_part(opened: Bundle) -> None:
    assert opened.image("coredns").name == "registry.k8s.io/coredns/coredns:v1.14.6"
    with pytest.raises(BundleError, match="has no image of flannel; create it anew"):
        opened.image("flannel")


def test_a_registry_client_finds_an_image(server: tuple[str, int]) -> None:
    assert ask(server, "/v2/")[0] == 200
    status, headers, text = ask(server, APISERVER)
    assert (status, headers["Content-Type"]) == (200, "application/vnd.oci.image.manifest.v1+json")
    assert headers["Docker-Content-Digest"] == f"sha256:{hashlib.sha256(text).hexdigest()}"
    by_digest = ask(server, f"/v2/kube-apiserver/manifests/{headers['Docker-Content-Digest']}")
    assert by_digest[2] == text
    for one in (json.loads(text)["config"], *json.loads(text)["layers"]):
        content = ask(server, f"/v2/kube-apiserver/blobs/{one['digest']}")[2]
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == one["digest"]
    assert json.loads(ask(server, "/v2/coredns/coredns/tags/list")[2])["tags"] == ["v1.14.6"]


def test_the_registry_that_is_mirrored_chooses_between_images_of_one_name(server: tuple[str, int]) -> None:
    official, local = (ask(server, f"{APISERVER}?ns={ns}")[2] for ns in ("registry.k8s.io", "localhost"))
    assert official != local
    assert ask(server, f"{APISERVER}?ns=docker.io")[0] == 404


def test_head_has_no_body_and_a_range_goes_on(server: tuple[str, int], opened: Bundle) -> None:
    (kubelet,) = opened.entries("binary")
    path = f"/blobs/sha256/{kubelet.sha256}"
    status, headers, body = ask(server, path, method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, "10", b"")
    status, headers, body = ask(server, path, Range="bytes=4-")
    assert (status, headers["Content-Range"], body) == (206, "bytes 4-9/10", b"456789")


@pytest.mark.parametrize(
    "path",
    ["/", "/v2/none/manifests/v1", "/v2/kube-apiserver/manifests/v9", f"/blobs/sha256/{'0' * 64}", "/../etc/passwd"],
)
def test_what_is_not_there_is_404_with_a_reason(server: tuple[str, int], path: str) -> None:
    status, _, body = ask(server, path)
    assert status == 404
    assert "is not in the bundle" in json.loads(body)["errors"][0]["message"]


def test_nothing_can_be_written(server: tuple[str, int]) -> None:
    assert ask(server, "/v2/kube-apiserver/blobs/uploads/", method="POST")[0] == 501
