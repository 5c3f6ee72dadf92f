"""Manifests as YAML files with places for values."""

from __future__ import annotations

import json
from importlib import resources
from string import Template
from typing import Any

import yaml

Manifest = dict[str, Any]


def render(file: str, /, **values: str) -> list[Manifest]:
    """The objects of ``file``, in an order in which they can be applied.

    Each ``$value`` stands where YAML wants a scalar and is put in quoted, so that no value changes the structure.
    Raises ``KeyError`` for a place without a value.
    """
    text = (resources.files(__package__) / file).read_text()
    quoted = {key: json.dumps(value) for key, value in values.items()}
    return list(yaml.safe_load_all(Template(text).substitute(quoted)))
