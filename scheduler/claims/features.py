"""The features that a node has to declare for a pod (plugin NodeDeclaredFeatures of kube-scheduler 1.37).

The list is that of k8s.io/component-helpers/nodedeclaredfeatures/features; the other features there bear on changes
of a running pod, never on where a new one goes.
"""

from __future__ import annotations

from ..objects import Pod

PLUGIN = "NodeDeclaredFeatures"
REASON = "node(s) didn't match Pod's required features"
"""Taking pods away does not help."""

RESTART_ALL = "RestartAllContainersOnContainerExits"
USER_NAMESPACES = "UserNamespacesHostNetworkSupport"
BIND_OPTIONS = "VolumeBindMountOptions"

_NONE: frozenset[str] = frozenset()


def required_features(pod: Pod) -> frozenset[str]:
    """Those that must be among ``status.declaredFeatures`` of the pod's node; none for nearly every pod."""
    spec = pod.spec
    found = []
    for container in (*(spec.containers or ()), *(spec.init_containers or ())):
        if container.restart_policy_rules and any(
            rule.action == "RestartAllContainers" for rule in container.restart_policy_rules
        ):
            found.append(RESTART_ALL)
        if container.volume_mounts and any(mount.bind_mount_options for mount in container.volume_mounts):
            found.append(BIND_OPTIONS)
    if spec.host_network and spec.host_users is False:
        found.append(USER_NAMESPACES)
    return frozenset(found) if found else _NONE
