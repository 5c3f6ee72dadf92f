"""Which layers make which image."""

from __future__ import annotations

from pathlib import Path

import pytest

from idcbench.errors import ArtifactError
from idcbench.provisioning.artifacts.bundle_write import Shelf
from idcbench.provisioning.artifacts.failure import BundleError
from idcbench.provisioning.artifacts.image_copy import Registry
from idcbench.provisioning.artifacts.image_pack import pack
from idcbench.provisioning.artifacts.images import Ingredients, Names, image_recipes, layer_recipes, with_alternatives
from idcbench.provisioning.artifacts.oci import write_image
from idcbench.provisioning.artifacts.oci_layer import Entry

LISTED = [
    *(f"registry.k8s.io/kube-{name}:v1.37.2" for name in ("apiserver", "controller-manager", "scheduler", "proxy")),
    "registry.k8s.io/coredns/coredns:v1.14.6", "registry.k8s.io/pause:3.10.2", "registry.k8s.io/etcd:3.7.0-0",
]  # fmt: skip
SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
OTHERS = ("etcd", "coredns", "metrics-server", "pause", "podtool", "flanneld", "cni-conf", "csr-approver")
VERSIONS = {"kubernetes": "1.37.2", "etcd": "3.7.3", "coredns": "1.14.6", "flannel": "0.26.7",
            "metrics-server": "0.9.0", "registry": "2.8.2"}  # fmt: skip
NAMES = Names.of(LISTED, flannel="0.26.7", metrics_server="0.9.0", registry="2.8.2")


def given(folder: Path, *, multi_call: bool) -> Ingredients:
    files = {name: folder / ("kubernetes" if multi_call else name) for name in SERVERS}
    files |= {name: folder / name for name in OTHERS}
    for file in set(files.values()):
        file.write_bytes(f"program {file.name}".encode())
    tools = {"usr/sbin/nft": Entry(b"nft", mode=0o755), "usr/lib64/ld.so": Entry(b"ld")}
    return Ingredients(programs=files, tools=tools, registry={"usr/bin/docker-registry": Entry(b"r", mode=0o755)})


def test_kubernetes_in_one_file_is_one_layer_of_four_images(tmp_path: Path) -> None:
    recipes = {one.reference: one for one in image_recipes(given(tmp_path, multi_call=True), NAMES, VERSIONS)}
    assert set(LISTED) <= set(recipes)
    servers = [recipes[name] for name in LISTED[:4]]
    assert {one.layers[:2] for one in servers} == {("base", "kubernetes")}
    assert [one.entrypoint for one in servers] == [(name,) for name in SERVERS]
    assert servers[3].layers == ("base", "kubernetes", "tools")
    layer = layer_recipes(given(tmp_path, multi_call=True))["kubernetes"].entries()
    assert {path for path, entry in layer.items() if entry.target == "kubernetes"} == {
        f"usr/local/bin/{name}" for name in SERVERS
    }


def test_kubernetes_in_files_of_their_own_is_a_layer_each(tmp_path: Path) -> None:
    ingredients = given(tmp_path, multi_call=False)
    recipes = image_recipes(ingredients, NAMES, VERSIONS)
    assert [one.layers[1] for one in recipes[:4]] == list(SERVERS)
    assert list(layer_recipes(ingredients)["kube-scheduler"].entries()) == ["usr/local/bin/kube-scheduler"]


def test_packing_again_gives_the_same_digests_with_and_without_the_cache(tmp_path: Path) -> None:
    ingredients = given(tmp_path, multi_call=True)
    recipes, layers = image_recipes(ingredients, NAMES, VERSIONS), layer_recipes(ingredients)

    def digests(cache: str) -> list[str]:
        return [one.image.digest for one in pack(recipes, layers, architecture="amd64", cache=tmp_path / cache)]

    first = digests("one")
    assert digests("one") == first == digests("other")
    for kept in (tmp_path / "one/pressed").glob("layer-*"):
        kept.write_bytes(kept.read_bytes()[:-1])
    assert digests("one") == first


def test_what_maintainer_scripts_would_link_is_linked() -> None:
    made = with_alternatives({"lib64/ld.so": Entry(b"")})
    assert made["usr/sbin/iptables-restore"].target == "iptables-nft-restore"
    assert made["usr/sbin/ip6tables"].target == "ip6tables-nft"
    assert "lib64" not in made
    assert with_alternatives({})["lib64"].target == "usr/lib64"


def test_an_image_is_copied_as_skopeo_leaves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingredients = given(tmp_path, multi_call=True)
    made = next(iter(pack(image_recipes(ingredients, NAMES, VERSIONS), layer_recipes(ingredients),
                          architecture="amd64", cache=tmp_path)))  # fmt: skip
    write_image(tmp_path / "image.tar", made.image)
    skopeo = tmp_path / "bin/skopeo"
    skopeo.parent.mkdir()
    skopeo.write_text(
        '#!/bin/sh\nfor to; do from=$last; last=$to; done\n[ "$from" = "docker://mirror/k8s/pause:3" ] || exit 9\n'
        f'mkdir -p "${{to#oci:}}" && tar -xf {tmp_path}/image.tar -C "${{to#oci:}}"\n'
    )
    skopeo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{skopeo.parent}:/usr/bin:/bin")
    shelf = Shelf(tmp_path / "shelf")
    shelf.folder.mkdir()
    entry = Registry("http://mirror/k8s/", "amd64").copy("registry.k8s.io/pause:3", shelf)
    assert f"sha256:{entry.sha256}" == made.image.digest
    assert [shelf.files[blob.sha256].read_bytes() for blob in entry.blobs] == list(made.image.stored)
    with pytest.raises(BundleError, match="elsewhere/pause:3 cannot be copied"):
        Registry("elsewhere", "amd64").copy("registry.k8s.io/pause:3", shelf)


def test_without_skopeo_it_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ArtifactError, match="apt-get install skopeo"):
        Registry("mirror", "amd64").copy("registry.k8s.io/pause:3", Shelf(tmp_path))
