"""The JSON schema of an inventory, for editors; published as docs/inventory.schema.json.

It describes each value; what has to fit together (addresses, networks, jumps) only reading checks.
"""

from __future__ import annotations

from typing import Any

from ..choices import PROFILES
from .gateway import NAME
from .inventory import ENDPOINT_MODES, ROLES, SCHEDULERS
from .inventory_fields import FIELDS

IPV4_NETWORK = {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$"}
PORT = {"type": "integer", "minimum": 1, "maximum": 65535}


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12."""
    variables = {name: {**field.schema, "description": field.about} for name, field in FIELDS.items()}
    some = _mapping(variables)
    groups = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
    groups["description"] = f"in the order in which their variables count; {' or '.join(ROLES)} is the role"
    host = _mapping({"groups": groups, **variables}, required=["groups"])
    names = {"pattern": f"^{NAME}$"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "inventory of idcbench",
        **_mapping(
            {
                "cluster": _cluster(),
                "defaults": some,
                "groups": {"type": "object", "additionalProperties": {"anyOf": [some, {"type": "null"}]}},
                "hosts": {"type": "object", "propertyNames": names, "additionalProperties": host},
            },
            required=["cluster", "hosts"],
        ),
    }


def _cluster() -> dict[str, Any]:
    endpoint = _mapping({"mode": {"enum": list(ENDPOINT_MODES)}, "address": {"type": "string"}, "port": PORT})
    network = _mapping(
        {
            "pods": IPV4_NETWORK,
            "services": IPV4_NETWORK,
            "plugin": {"type": "string", "minLength": 1, "description": "flannel, none, or the path of a manifest"},
            "domain": {"type": "string", "minLength": 1},
        }
    )
    return _mapping(
        {
            "name": {"type": "string", "pattern": f"^{NAME}$"},
            "kubernetes": {"type": "string", "pattern": r"^v?\d+\.\d+(\.\d+)?$"},
            "profile": {"enum": list(PROFILES)},
            "scheduler": {"enum": list(SCHEDULERS), "description": "who schedules pods; kube-scheduler"},
            "disruptive": {"type": "boolean", "description": "whether tests may break this cluster; false"},
            "endpoint": endpoint,
            "network": network,
        },
        required=["name", "endpoint"],
    )


def _mapping(properties: dict[str, Any], *, required: list[str] | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return schema | {"required": required} if required else schema
