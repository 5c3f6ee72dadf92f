"""The images of a cluster, each as layers that they share: pure descriptions, packed by image_pack.py.

kube-apiserver, kube-controller-manager and kube-scheduler differ by their entry point alone when Kubernetes is one
file with many names, so that a host unpacks it once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .oci_debian import users
from .oci_layer import Entries, Entry

NOBODY = 65532
LOCAL = "localhost/idcbench"
"""In front of the names of images that are nowhere to be pulled."""
TOOL_PACKAGES = ("nftables", "iptables")
REGISTRY_PACKAGE = "docker-registry"
PODTOOL_VERSION = "2"
CSR_APPROVER_VERSION = "1"
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_BIN = "usr/local/bin"
_SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
_ALTERNATIVES = ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore")
_REGISTRY_CONFIGURATION = b"""\
version: 0.1
storage:
  filesystem: {rootdirectory: /var/lib/registry}
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
http: {addr: ":5000"}
health:
  storagedriver: {enabled: true, interval: 10s, threshold: 3}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredients:
    """What images are made of: programs by name, and files out of Debian packages."""

    programs: Mapping[str, Path]
    tools: Entries
    registry: Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRecipe:
    """Files from the disk, by their path in the image, and small ones and links that are made up."""

    files: Mapping[str, Path]
    made: Entries

    def entries(self) -> Entries:
        """Read what it consists of."""
        return self.made | {path: Entry(file.read_bytes(), mode=0o755) for path, file in self.files.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecipe:
    """``layers`` are names of layer recipes, lowest first. ``version`` is that of the program inside."""

    reference: str
    version: str
    layers: tuple[str, ...]
    entrypoint: tuple[str, ...]
    user: str = "0:0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How the images are called: those of kubeadm as it lists them, the others by their versions."""

    kubeadm: Mapping[str, str]
    flannel: str
    metrics_server: str
    registry: str
    podtool: str = f"{LOCAL}/podtool:{PODTOOL_VERSION}"
    csr_approver: str = f"{LOCAL}/csr-approver:{CSR_APPROVER_VERSION}"

    @classmethod
    def of(cls, listed: Sequence[str], *, flannel: str, metrics_server: str, registry: str) -> Names:
        """From what `kubeadm config images list` prints, and versions."""
        return cls(
            kubeadm={reference.rpartition("/")[2].partition(":")[0]: reference for reference in listed},
            flannel=f"{LOCAL}/flannel:v{flannel}",
            metrics_server=f"registry.k8s.io/metrics-server/metrics-server:v{metrics_server}",
            registry=f"{LOCAL}/registry:{registry}",
        )

    def tag(self, image: str) -> str:
        """The tag of an image of kubeadm."""
        return self.kubeadm[image].rpartition(":")[2]


def layer_recipes(given: Ingredients) -> dict[str, LayerRecipe]:
    """All layers by name; that of a Kubernetes component is called like the file that holds it."""
    own = {name: _programs(given.programs, name) for name in
           ("etcd", "coredns", "metrics-server", "pause", "csr-approver", "podtool")}  # fmt: skip
    return {
        "base": LayerRecipe(files={}, made=users(uid=NOBODY)),
        "tools": LayerRecipe(files={}, made=with_alternatives(given.tools)),
        "flannel": _programs(given.programs, "flanneld", "cni-conf"),
        "registry": LayerRecipe(files={}, made=_registry(given.registry)),
        **own,
        **{file.name: _one_file(file, given.programs) for file in map(given.programs.__getitem__, _SERVERS)},
    }


def image_recipes(given: Ingredients, names: Names, versions: Mapping[str, str]) -> list[ImageRecipe]:
    """All images; ``versions`` by the names of parts, ``registry`` among them."""
    nobody = f"{NOBODY}:{NOBODY}"
    servers = [
        _image(
            names.kubeadm[server], versions["kubernetes"], given.programs[server].name,
            *(["tools"] if server == "kube-proxy" else []), entrypoint=server,
        )
        for server in _SERVERS
    ]  # fmt: skip
    return [
        *servers,
        _image(names.kubeadm["etcd"], versions["etcd"], "etcd"),
        _image(names.kubeadm["coredns"], versions["coredns"], "coredns"),
        _image(names.kubeadm["pause"], names.tag("pause"), "pause", user=nobody),
        _image(names.flannel, versions["flannel"], "tools", "flannel", entrypoint="flanneld"),
        _image(names.metrics_server, versions["metrics-server"], "metrics-server", user=nobody),
        _image(
            names.registry, versions["registry"], "tools", "registry", user=nobody,
            entrypoint=("docker-registry", "serve", "/etc/registry.yml"),
        ),
        _image(names.csr_approver, CSR_APPROVER_VERSION, "csr-approver", user=nobody),
        _image(names.podtool, PODTOOL_VERSION, "podtool", user=nobody),
    ]  # fmt: skip


def with_alternatives(tools: Entries) -> Entries:
    """With the links that maintainer scripts would make: iptables by nftables, and ``/lib64`` for the linker."""
    links = {f"usr/sbin/{name}": Entry(target=name.replace("tables", "tables-nft", 1), mode=0o777)
             for name in _ALTERNATIVES}  # fmt: skip
    merged = not any(path.startswith("lib64/") for path in tools)
    return tools | links | ({"lib64": Entry(target="usr/lib64", mode=0o777)} if merged else {})


def _image(
    reference: str, version: str, *layers: str, entrypoint: str | tuple[str, ...] = "", user: str = "0:0"
) -> ImageRecipe:
    """An image on the common base that runs, unless told otherwise, what its top layer is named after."""
    command = entrypoint or layers[-1]
    return ImageRecipe(
        reference=reference,
        version=version,
        layers=("base", *layers),
        entrypoint=(command,) if isinstance(command, str) else command,
        user=user,
    )


def _programs(programs: Mapping[str, Path], *names: str) -> LayerRecipe:
    return LayerRecipe(files={f"{_BIN}/{name}": programs[name] for name in names}, made={})


def _one_file(file: Path, programs: Mapping[str, Path]) -> LayerRecipe:
    """A file and the names of all components that it is."""
    names = [name for name in _SERVERS if programs[name] == file and name != file.name]
    links = {f"{_BIN}/{name}": Entry(target=file.name, mode=0o777) for name in names}
    return LayerRecipe(files={f"{_BIN}/{file.name}": file}, made=links)


def _registry(package: Entries) -> Entries:
    program = "usr/bin/docker-registry"
    return {
        program: package[program],
        "etc/registry.yml": Entry(_REGISTRY_CONFIGURATION),
        "var/lib/registry": Entry(mode=0o1777),
    }
