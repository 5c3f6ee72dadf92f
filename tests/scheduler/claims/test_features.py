from typing import Any

import msgspec
import pytest

from idcbench.scheduler.claims import required_features
from idcbench.scheduler.objects import Pod

RULES = [{"action": "Restart"}, {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [1]}}]
MOUNTS = [{"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "/b", "bindMountOptions": ["noexec"]}]


@pytest.mark.parametrize(
    ("spec", "features"),
    [
        ({}, set()),
        ({"containers": [{"name": "c", "restartPolicyRules": RULES[:1], "volumeMounts": MOUNTS[:1]}]}, set()),
        ({"containers": [{"name": "c", "restartPolicyRules": RULES}]}, {"RestartAllContainersOnContainerExits"}),
        ({"initContainers": [{"name": "c", "restartPolicyRules": RULES}]}, {"RestartAllContainersOnContainerExits"}),
        ({"containers": [{"name": "c"}, {"name": "d", "volumeMounts": MOUNTS}]}, {"VolumeBindMountOptions"}),
        ({"hostNetwork": True, "hostUsers": False}, {"UserNamespacesHostNetworkSupport"}),
        ({"hostNetwork": True}, set()),
        ({"hostNetwork": True, "hostUsers": True}, set()),
        ({"hostUsers": False}, set()),
        (
            {"containers": [{"name": "c", "restartPolicyRules": RULES}], "hostNetwork": True, "hostUsers": False},
            {"RestartAllContainersOnContainerExits", "UserNamespacesHostNetworkSupport"},
        ),
    ],
)
def test_features_that_a_node_has_to_declare(spec: dict[str, Any], features: set[str]) -> None:
    assert required_features(msgspec.convert({"spec": spec}, Pod)) == features
