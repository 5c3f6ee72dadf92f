"""What kube-scheduler itself runs without a configuration, and with which weights: asked of its own code."""

from __future__ import annotations

import json
import subprocess

import pytest
from against_real.build import reference_scheduler
from oracle.profile import WEIGHTS

from idcbench.scheduler.policy import DEFAULT_WEIGHTS, FILTERS, PREEMPTION, Policy

pytestmark = pytest.mark.integration

Listed = dict[str, list[dict[str, str | int]]]


@pytest.fixture(scope="module")
def listed() -> Listed:
    told = subprocess.run([str(reference_scheduler()), "--plugins"], capture_output=True, check=True, timeout=60)
    found: Listed = json.loads(told.stdout)
    return found


def test_the_filters_are_these(listed: Listed) -> None:
    assert {plugin["Name"] for plugin in listed["filter"]} == set(FILTERS)


def test_the_scores_are_these_with_these_weights(listed: Listed) -> None:
    """A pod with resource claims, which alone DynamicResources scores, is declined."""
    weights = {plugin["Name"]: plugin["Weight"] for plugin in listed["score"]}
    ours = {**DEFAULT_WEIGHTS, "VolumeBinding": Policy().volume_weight}
    assert weights == ours | {"DynamicResources": 2}
    assert weights == WEIGHTS


def test_room_is_made_by_preemption(listed: Listed) -> None:
    assert [plugin["Name"] for plugin in listed["postFilter"]] == ["DynamicResources", PREEMPTION]
