"""The performance suite's measurements of the API, all of them in small on a real cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = "idcbench/suites/performance"
FILES = ("api_latency", "watch", "list", "endpoints", "custom_resources", "namespaces")
MEASURED = {
    "api.latency", "api.latency_by_server_p50", "watch.latency", "watch.missing", "list.latency", "list.bytes",
    "endpoints.propagation", "custom_resource.established", "custom_resource.first_object", "custom_resource.latency",
    "apply.latency", "namespace.creation_throughput", "namespace.deletion_throughput", "namespace.deletion",
    "gc.throughput",
}  # fmt: skip


@pytest.mark.integration
def test_the_api_half_in_small_measures_everything(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
    environment.pop("PYTEST_ADDOPTS", None)
    options = ["--idc-target=embedded", "--idc-name=little-api", "--idc-control-planes=1", "--idc-nodes=2"]
    done = subprocess.run(
        [
            sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio", "-q", "--tb=short",
            *options, "--idc-scale=0.005", "--idc-profile=fast", *(f"{SUITE}/test_{file}.py" for file in FILES),
        ],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    folder = tmp_path / ".idcbench/embedded-little-api/latest"
    assert (folder / "run.json").is_file(), done.stdout + done.stderr
    document = json.loads((folder / "run.json").read_text())
    outcomes = {check["nodeid"].rpartition("::")[2]: check["outcome"] for check in document["checks"]}
    assert outcomes == dict.fromkeys(outcomes, "passed"), done.stdout
    assert len(outcomes) == 9
    found = {metric["name"] for metric in document["metrics"]}
    assert found >= MEASURED
    modes = {metric["labels"]["mode"]: metric for metric in document["metrics"] if metric["name"] == "list.bytes"}
    assert set(modes) == {"paged", "newest", "cached", "streamed"}
    missing = [metric["max"] for metric in document["metrics"] if metric["name"] == "watch.missing"]
    assert missing == [0.0] * 2  # one watcher, and five
    events = [json.loads(line) for line in (folder / "timeline.jsonl").read_text().splitlines()]
    judged = [event for event in events if event["what"] == "objective"]
    assert len(judged) == 14
    assert all(event["value"] is event["met"] is None for event in judged)  # too few for a p99, and it says so
