"""The target ``kubeconfig``: a cluster that is there already. Nothing is provisioned, changed or removed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ..cluster import Capability, ClusterFacts, ClusterSpec, Faults, Host
from ..errors import ClusterError, UsageError
from ..kube.access import Access
from ..kube.apierror import ApiError
from ..kube.kubeconfig import access_from_kubeconfig
from ..kube.listing import list_all
from ..kube.objects import EndpointSlice, ObjectMeta
from ..kube.session import ApiSession
from .nodes.kwok import MARK

POD_IMAGES = ("pause", "podtool", "idcbench-scheduler")
"""One that only sleeps, which every node has; the one that does what tests ask it to, which bundles have; and that with
idcbench in it."""
MASTERS = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


class _Image(msgspec.Struct, frozen=True):
    names: tuple[str, ...] | None = None


class _Status(msgspec.Struct, frozen=True):
    images: tuple[_Image, ...] | None = None


class ImagedNode(msgspec.Struct, frozen=True):
    """A node by the images that its kubelet tells of; it tells of fifty at most."""

    metadata: ObjectMeta = ObjectMeta()
    status: _Status = _Status()

    @property
    def references(self) -> frozenset[str]:
        return frozenset(name for one in self.status.images or () for name in one.names or () if "@" not in name)


class Version(msgspec.Struct, frozen=True, rename="camel"):
    """What ``/version`` says."""

    git_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingTarget:
    """The cluster of a context; empty text means kubectl's own defaults."""

    kubeconfig: str = ""
    context: str = ""

    @property
    def id(self) -> str:
        return "kubeconfig-" + "".join(c if c.isalnum() or c in "-_." else "-" for c in self._access().context)

    @contextlib.asynccontextmanager
    async def cluster(self, spec: ClusterSpec, *, keep: bool) -> AsyncIterator[ExistingCluster]:  # noqa: ARG002
        """Attach. Raises :class:`ClusterError` when the cluster does not answer."""
        if "scheduler" in spec.asked:
            raise UsageError(
                "--scheduler: nothing is installed in somebody's cluster; "
                "`idcbench scheduler manifests | kubectl apply -f -` does it"
            )
        access = self._access()
        try:
            yield await _look(access)
        except ApiError as error:
            if error.status:
                raise
            raise ClusterError(f"the cluster of context {access.context!r} does not answer: {error}") from None

    def _access(self) -> Access:
        return access_from_kubeconfig(Path(self.kubeconfig) if self.kubeconfig else None, self.context or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingCluster:
    """Somebody's cluster: facts that were read from it, no hosts, no verbs."""

    facts: ClusterFacts
    access: Access
    capabilities: frozenset[Capability]
    hosts: Sequence[Host] = field(default=())
    workers: Sequence[Host] = field(default=())
    faults: Faults | None = None


async def _look(access: Access) -> ExistingCluster:
    async with ApiSession(access) as api:
        version = (await api.read(Version, "/version")).git_version.removeprefix("v")
        nodes = (await list_all(api, ImagedNode, "/api/v1/nodes")).items
        members = await _member_count(api)
        groups = await api.get("/apis")
    real = any(MARK[0] not in (node.metadata.annotations or {}) for node in nodes)
    capabilities = {
        Capability.REAL_PODS: real,
        Capability.HA: members > 1,
        Capability.METRICS: b'"metrics.k8s.io"' in groups,
    }
    facts = ClusterFacts(
        target="kubeconfig",
        name=access.context,
        kubernetes=version,
        etcd="",
        profile="default",
        shape="full",
        control_planes=members,
        nodes=len(nodes),
        provenance="existing cluster",
        reused=True,
        ours=False,
        versions={"kubernetes": version},
        images=images_for_pods([node.references for node in nodes]),
    )
    return ExistingCluster(
        facts=facts, access=access, capabilities=frozenset(c for c, there in capabilities.items() if there)
    )


def images_for_pods(nodes: Sequence[frozenset[str]]) -> dict[str, str]:
    """What tests can make pods of without pulling anything: of the images on every node those known by name."""
    everywhere = sorted(frozenset.intersection(*nodes)) if nodes else []
    named = {reference.rpartition("/")[2].partition(":")[0]: reference for reference in everywhere}
    return {name: named[name] for name in POD_IMAGES if name in named}


async def _member_count(api: ApiSession) -> int:
    """How many API servers stand behind the ``kubernetes`` Service."""
    slices = await list_all(
        api, EndpointSlice, MASTERS, query={"labelSelector": "kubernetes.io/service-name=kubernetes"}
    )
    return sum(len(endpoint.addresses) for one in slices.items for endpoint in one.endpoints or ())
