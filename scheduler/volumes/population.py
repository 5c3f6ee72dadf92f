"""The placed pods that have volumes: by node, and by the claims that they use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from ..objects import Pod
from ..objects.pod import Volume
from .usage import ClaimKey, uses


class Population:
    """Who is where. Pods are known by their UID."""

    def __init__(self) -> None:
        self._nodes: dict[str, str] = {}
        self._pods: defaultdict[str, dict[str, Pod]] = defaultdict(dict)
        self._with_disks: defaultdict[str, dict[str, Pod]] = defaultdict(dict)
        self._users: defaultdict[ClaimKey, dict[str, str]] = defaultdict(dict)

    def add(self, pod: Pod, node: str) -> None:
        self.remove(pod)
        name = pod_id(pod)
        self._nodes[name] = node
        self._pods[node][name] = pod
        if any(is_disk(volume) for volume in pod.spec.volumes or ()):
            self._with_disks[node][name] = pod
        for use in uses(pod):
            self._users[use.key][name] = node

    def remove(self, pod: Pod) -> str | None:
        """The node the pod was on; ``None`` when it is unknown."""
        name = pod_id(pod)
        node = self._nodes.pop(name, None)
        if node is None:
            return None
        before = self._pods[node].pop(name)
        self._with_disks[node].pop(name, None)
        for use in uses(before):
            self._users[use.key].pop(name, None)
            if not self._users[use.key]:
                del self._users[use.key]
        return node

    def node_of(self, pod: Pod) -> str | None:
        return self._nodes.get(pod_id(pod))

    def on(self, node: str, *, without: Collection[str] = ()) -> Iterator[Pod]:
        """The pods with volumes on a node, but for those whose UID is given."""
        return (pod for name, pod in self._pods.get(node, {}).items() if name not in without)

    def with_disks_on(self, node: str, *, without: Collection[str] = ()) -> Iterator[Pod]:
        return (pod for name, pod in self._with_disks.get(node, {}).items() if name not in without)

    def nodes_using(self, claim: ClaimKey) -> set[str]:
        return set(self._users.get(claim, {}).values())

    def users(self, claim: ClaimKey) -> Collection[str]:
        """The UIDs of the placed pods that use the claim."""
        return self._users.get(claim, ())


def pod_id(pod: Pod) -> str:
    return pod.metadata.uid or pod.key


def is_disk(volume: Volume) -> bool:
    """Whether it is one of the in-tree disks that pods on a node may not share at will."""
    return (
        volume.gce_persistent_disk is not None
        or volume.aws_elastic_block_store is not None
        or volume.iscsi is not None
        or volume.rbd is not None
    )
