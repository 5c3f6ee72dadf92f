"""The performance suite's measurements of pods: its pure parts, and all of it in small on a real cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from idcbench.suites.performance.density import bucket_times, cluster_density
from idcbench.suites.performance.startup import exactly
from idcbench.suites.performance.usage import ControlPlane, Usage, usages_in

SUITE = "idcbench/suites/performance"
FILES = ("pod_startup", "rolling_update", "control_plane_cost", "densities", "standard_load", "growth")
MEASURED = {
    "pod_startup.create_to_watch", "pod_startup.by_server.create_to_watch", "rolling_update.duration",
    "cost.memory_per_node", "cost.cpu_per_1000_pods", "cost.etcd_fsync_p99", "cost.etcd_db_size",
    "density.pod_latency", "standard.latency", "standard.pods_alive", "measure.harness_share", "growth.list",
}  # fmt: skip
STAT = (
    "pid 9 12 (a (strange) name) S 1 9 9 0 -1 4194560 100 0 0 0 250 50 7 8 20 0 11 0 5 1 2\n"
    "VmRSS:\t    2048 kB\n"
    "pid 9 13 (child) S 9 9 9 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 1 2\n"
    "pid 10 10 (gone) S 1 9 9 0 -1 0 0 0 0 0 3 0 0 0 20 0 1 0 5 1 2\n"
)


def test_a_process_is_read_whatever_its_name_and_also_when_it_just_ended() -> None:
    assert usages_in(STAT.splitlines()) == [(9, Usage(3.0, 2048 * 1024)), (9, Usage(0.02)), (10, Usage(0.03))]


def test_what_was_started_anew_has_no_known_use() -> None:
    before, after = ControlPlane(0, {"etcd": Usage(5.0)}), ControlPlane(1, {"etcd": Usage(1.0)})
    with pytest.raises(ValueError, match="etcd: started anew"):
        after.cpu_since(before)
    assert ControlPlane(1, {"etcd": Usage(7.5)}).cpu_since(before) == {"etcd": 2.5}


def test_a_token_bucket_begins_with_its_burst_and_goes_on_evenly() -> None:
    times_s = bucket_times(60, qps=20, burst=20) / 1e9
    assert (times_s[:20] == 0).all()
    assert times_s[20:] == pytest.approx(np.arange(1, 41) / 20)


def test_a_namespace_of_cluster_density_holds_what_the_original_does() -> None:
    plan = cluster_density(["a", "b"])
    assert plan.sorts is not None
    kinds = Counter(plan.calls[sort].name for sort in plan.sorts)
    assert kinds["Secret in a"] == kinds["ConfigMap in b"] == 10
    assert (kinds["Service in a"], kinds["NetworkPolicy in a"], kinds["Deployment in a"]) == (5, 3, 5)
    assert sum(kinds.values()) == 66
    assert len(json.loads(plan.calls[1].body)["data"]["key1"]) == 2048
    with pytest.raises(ValueError, match="43 namespaces are too many"):
        cluster_density([f"n{number}" for number in range(43)])


def test_as_many_arrivals_as_are_wanted_however_long_they_take() -> None:
    for seed in range(20):
        times = exactly(30, 10.0, seed=seed)
        assert len(times) == 30
        assert (np.diff(times) >= 0).all()


@pytest.mark.integration
def test_the_suite_in_small_measures_everything(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
    environment.pop("PYTEST_ADDOPTS", None)
    options = ["--idc-target=embedded", "--idc-name=little-performance", "--idc-control-planes=1", "--idc-nodes=2"]
    done = subprocess.run(
        [
            sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio", "-q", "--tb=short",
            *options, "--idc-scale=0.01", "--idc-profile=fast", *(f"{SUITE}/test_{file}.py" for file in FILES),
        ],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    folder = tmp_path / ".idcbench/embedded-little-performance/latest"
    assert (folder / "run.json").is_file(), done.stdout + done.stderr
    document = json.loads((folder / "run.json").read_text())
    outcomes = {check["nodeid"].rpartition("::")[2]: check["outcome"] for check in document["checks"]}
    assert outcomes == dict.fromkeys(outcomes, "passed"), done.stdout
    assert len(outcomes) == 8
    assert {metric["name"] for metric in document["metrics"]} >= MEASURED
    events = [json.loads(line) for line in (folder / "timeline.jsonl").read_text().splitlines()]
    grown = [event for event in events if event["what"] == "growth"]
    assert {event["by"] for event in grown} == {"nodes", "pods"}
    for event in grown:
        assert len(event["sizes"]) == len(event["medians"]) >= 3
        assert event["low"] <= event["exponent"] <= event["high"]
