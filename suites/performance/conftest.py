"""Fixtures of the performance suite."""

from __future__ import annotations

import pytest

from idcbench.plugin.live import LiveCluster
from idcbench.suites.functional.manifests import use_images


@pytest.fixture(scope="session", autouse=True)
def _images(idc_cluster: LiveCluster) -> None:
    """Pods are made of what this cluster has."""
    use_images(idc_cluster.facts.images)
