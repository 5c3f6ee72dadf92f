"""kube-scheduler 1.37's own list of plugins and weights, read from its source, against what is known here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from idcbench.scheduler.policy import DEFAULT_WEIGHTS, FILTERS
from idcbench.scheduler.service.config_plugins import ABSENT, PLUGINS

SOURCE = Path.home() / "go/pkg/mod/k8s.io/kubernetes@v1.37.2/pkg/scheduler"
POINT_OF = {"PreEnqueue": "preEnqueue", "PodGroupPostFilter": "podGroupPostFilter", "QueueSort": "queueSort"}

pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason="the Go module cache has no kubernetes 1.37.2")


def constants() -> set[str]:
    return set(re.findall(r'^\t\w+ += "(\w+)"$', (SOURCE / "framework/plugins/names/names.go").read_text(), re.M))


def test_every_plugin_is_here_or_named_as_absent() -> None:
    assert constants() == set(PLUGINS) | set(ABSENT)


def test_the_default_list_has_these_weights() -> None:
    text = (SOURCE / "apis/config/v1/default_plugins.go").read_text()
    body = text[text.index("func getDefaultPlugins") : text.index("func applyFeatureGates")]
    listed = re.findall(r"\{Name: names\.(\w+)(?:, Weight: ptr\.To\[int32\]\((\d+)\))?\}", body)
    assert {name for name, _ in listed} == set(PLUGINS) - {"DynamicResources", "NodeDeclaredFeatures", "GangScheduling"}
    assert {name: int(weight) for name, weight in listed if weight} == DEFAULT_WEIGHTS


def test_every_plugin_acts_where_upstream_says() -> None:
    """By the interface assertions (``var _ fwk.FilterPlugin = &Fit{}``) of each plugin's package."""
    folders = {"queuesort": "PrioritySort", "noderesources": ""}
    by_name = {name.lower(): name for name in PLUGINS}
    found: dict[str, set[str]] = {}
    for file in (SOURCE / "framework/plugins").glob("*/*.go"):
        for interface, type_name in re.findall(r"^var _ fwk\.(\w+)Plugin = &(\w+)\{\}", file.read_text(), re.M):
            folder = file.parent.name
            name = folders.get(folder, by_name.get(folder, ""))
            if folder == "noderesources":
                name = {"Fit": "NodeResourcesFit"}.get(type_name, "NodeResourcesBalancedAllocation")
            if name and interface != "Sign":
                found.setdefault(name, set()).add(interface[0].lower() + interface[1:])
    assert {name: set(points) for name, points in PLUGINS.items()} == found


def test_the_filters_are_those_that_filter() -> None:
    assert set(FILTERS) == {name for name, points in PLUGINS.items() if "filter" in points}
