"""What the scripted machines have in common once they are a cluster: nodes, ConfigMaps, members of etcd."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from typing import Any

import yaml

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


@dataclass
class Cluster:
    """``members`` are addresses by name, a learner's name with its address too until it is promoted."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    authority: bytes = b""
    learners: set[str] = field(default_factory=set)
    joins: list[str] = field(default_factory=list)
    """Every init and join that was begun, in order, for tests."""

    def add_node(self, name: str, *, control_plane: bool) -> None:
        taints = [CONTROL_PLANE] if control_plane else []
        metadata = {"name": name, "labels": {CONTROL_PLANE["key"]: ""} if control_plane else {}}
        self.nodes[name] = {"metadata": metadata, "spec": {"taints": taints}, "status": READY}

    def kubectl(self, words: list[str], content: bytes) -> tuple[int, str]:
        """What a kubectl would do and print; only what idcbench asks."""
        words = [word for word in words if not word.startswith(("--kubeconfig", "--cache-dir"))]
        match words[0]:
            case "get":
                return 0, json.dumps({"items": self._listed(words[1], words)})
            case "apply":
                for each in yaml.safe_load_all(content):
                    if each and each["kind"] == "ConfigMap":
                        self.maps.setdefault(each["metadata"]["name"], {}).update(each.get("data", {}))
                return 0, "applied"
            case "patch":
                body = next(word for word in words if word.startswith("--patch=")).removeprefix("--patch=")
                data = self.maps.setdefault(words[2], {})
                for name, value in json.loads(body)["data"].items():
                    data.update({name: value}) if value else data.pop(name, None)
                return 0, "patched"
            case "delete":
                for name in words[2:]:
                    self.nodes.pop(name, None)
                return 0, "deleted"
            case "label":
                pairs = dict(word.split("=", 1) for word in words[3:] if not word.startswith("--"))
                self.nodes[words[2]]["metadata"]["labels"].update(pairs)
                return 0, "labeled"
            case "wait" if words[2].removeprefix("node/") not in self.nodes:
                return 1, f"error: timed out waiting for {words[2]}"
            case "rollout" | "drain" | "uncordon" | "taint" | "wait":
                return 0, f"{words[0]} done"
        return 1, f"error: unknown command {words[0]}"

    def _listed(self, kind: str, words: list[str]) -> list[dict[str, Any]]:
        name = next(
            (word.rpartition("=")[2] for word in words if word.startswith("--field-selector=metadata.name")), ""
        )
        if kind == "nodes":
            return [node for each, node in self.nodes.items() if name in ("", each)]
        if kind == "configmaps":
            return [
                {"metadata": {"name": each}, "data": data} for each, data in self.maps.items() if name in ("", each)
            ]
        return []

    def etcd_members(self) -> list[dict[str, Any]]:
        """As etcd's gateway lists them."""
        return [
            {"ID": identity(address), "name": name, "peerURLs": [f"https://{address}:2380"],
             "clientURLs": [f"https://{address}:2379"], "isLearner": name in self.learners}
            for name, address in self.members.items()
        ]  # fmt: skip

    def remove_member(self, wanted: str) -> None:
        name = next(name for name, address in self.members.items() if identity(address) == wanted)
        del self.members[name]
        self.learners.discard(name)


def identity(address: str) -> str:
    """The ID of the member of etcd at an address; the same for as long as it is one."""
    return str(int(ipaddress.IPv4Address(address)))
