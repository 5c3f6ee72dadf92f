"""What simulated nodes look like: shapes from a file, dealt over zones and racks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ...errors import UsageError
from .kwok import MARK

SHAPES = Path(__file__).with_name("shapes.yaml")
ZONES = 3
RACK_NODES = 20
"""Nodes of one zone that share a rack."""


class NodeShape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of machine; ``share`` is how many of it there are against the others."""

    name: str
    share: int
    cpu: str
    memory: str
    pods: int
    disk: str
    network: str
    gpu: int = 0


def read_shapes(path: Path = SHAPES) -> list[NodeShape]:
    """The shapes in a YAML file. Raises :class:`UsageError` that names file and field."""
    try:
        shapes = msgspec.yaml.decode(path.read_bytes(), type=list[NodeShape])
    except OSError as error:
        raise UsageError(f"node shapes {path}: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise UsageError(f"node shapes {path}: {error}; see {SHAPES} for the form") from None
    if sum(shape.share for shape in shapes) < 1:
        raise UsageError(f"node shapes {path}: the shares add up to nothing; give one shape a share of 1 or more")
    return shapes


def deal(count: int, shapes: list[NodeShape]) -> list[dict[str, Any]]:
    """``count`` Node objects named node-0001 …, shapes by their shares, zones in turn, racks filled one by one."""
    deck = [shape for shape in shapes for _ in range(shape.share)]
    return [_node(number, deck[(number - 1) % len(deck)]) for number in range(1, count + 1)]


def capacity(shape: NodeShape) -> dict[str, str]:
    """The node's capacity as Kubernetes writes it."""
    gpu = {"nvidia.com/gpu": str(shape.gpu)} if shape.gpu else {}
    return {"cpu": shape.cpu, "memory": shape.memory, "pods": str(shape.pods), "ephemeral-storage": "200Gi", **gpu}


def _node(number: int, shape: NodeShape) -> dict[str, Any]:
    name, zone = f"node-{number:04}", (number - 1) % ZONES
    rack = (number - 1) // ZONES // RACK_NODES
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": f"zone-{zone + 1}",
        "topology.kubernetes.io/rack": f"rack-{zone + 1}-{rack + 1}",
        "idcbench.io/shape": shape.name,
        "idcbench.io/disk": shape.disk,
        "idcbench.io/network": shape.network,
        "type": "simulated",
    }
    sizes = capacity(shape)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {MARK[0]: MARK[1]}},
        "status": {
            "capacity": sizes,
            "allocatable": sizes,
            "nodeInfo": dict.fromkeys(_INFO, "") | {"kubeletVersion": "simulated", "architecture": "amd64"},
        },
    }


_INFO = (
    "architecture bootID containerRuntimeVersion kernelVersion kubeProxyVersion kubeletVersion machineID"
    " operatingSystem osImage systemUUID"
).split()
