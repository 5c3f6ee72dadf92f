"""With xdist: one cluster and one run for all workers, whatever becomes of them, and the lock among them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Lab

pytest.importorskip("xdist")


def intervals(lab: Lab) -> list[dict[str, Any]]:
    lines = (lab.path / ".idcbench/fake/latest/logs/lock.jsonl").read_text().splitlines()
    return sorted((json.loads(line) for line in lines), key=lambda each: int(each["from_ns"]))


def test_one_cluster_one_run_and_no_two_intervals_overlap_when_one_is_alone(lab: Lab) -> None:
    lab.test(
        "import pytest, time\n"
        "@pytest.mark.parametrize('n', range(12))\n"
        "def test_shared(idc_record, n): idc_record('n', n, unit='1', better='none'); time.sleep(0.01)\n"
        "@pytest.mark.idc_disruptive\n"
        "@pytest.mark.parametrize('n', range(3))\n"
        "def test_breaks(idc_cluster, n): idc_cluster.faults.kill('cp1', 'etcd'); time.sleep(0.02)\n"
        "@pytest.mark.idc_measuring\n"
        "@pytest.mark.parametrize('n', range(3))\n"
        "def test_measures(idc_cluster, n): time.sleep(0.06)\n"
    )
    result = lab.spawn("--idc-target=fake", "-n2", "test_it.py")
    result.assert_outcomes(passed=18)
    assert result.ret == 0
    assert lab.log() == ["up main", "down main"]
    document = lab.document()
    assert document["tests"]["passed"] == 18
    counts = {m["name"]: m["n"] for m in document["metrics"]}
    assert (counts["cluster.ready"], counts["n"], counts["measure.clock_offset"]) == (1, 12, 2)
    assert counts["measure.harness_delay"] >= 1
    lines = (lab.path / ".idcbench/fake/latest/timeline.jsonl").read_text().splitlines()
    told = Counter((event["what"], event.get("outcome")) for event in map(json.loads, lines))
    assert told["test-ended", "passed"] == 18
    held = intervals(lab)
    assert len(held) == 18
    assert {each["worker"] for each in held} == {"gw0", "gw1"}
    assert sum(each["alone"] for each in held) == 6
    for first in held:
        for second in held:
            if first is not second and (first["alone"] or second["alone"]):
                assert first["until_ns"] <= second["from_ns"] or second["until_ns"] <= first["from_ns"]


def test_a_worker_that_crashes_loses_neither_the_cluster_nor_the_run(lab: Lab) -> None:
    lab.test(
        "import os, pytest\n"
        "def test_crash(idc_record): idc_record('before', 1, unit='s'); os._exit(1)\n"
        "@pytest.mark.parametrize('n', range(6))\n"
        "def test_goes_on(idc_cluster, n): pass\n"
    )
    result = lab.spawn("--idc-target=fake", "-n2", "test_it.py")
    assert result.ret == 1
    assert (lab.log()[0], lab.log()[-1]) == ("up main", "down main")
    document = lab.document()
    assert (document["tests"]["passed"], document["tests"]["failed"]) == (6, 1)
    assert [m["n"] for m in document["metrics"] if m["name"] == "before"] == [1]
    assert "crashed" in next(check["reason"] for check in document["checks"] if check["outcome"] == "failed")
    assert not (lab.path / "cluster.json").exists()


def test_a_worker_acts_on_the_controllers_cluster(lab: Lab) -> None:
    lab.test(
        "import pytest\n"
        "from idcbench.errors import UsageError\n"
        "@pytest.mark.idc_disruptive\n"
        "def test_it(idc_cluster, idc_hosts):\n"
        "    assert idc_cluster.access.server == 'https://127.0.0.1:1'\n"
        "    assert 'ha' in idc_cluster.capabilities\n"
        "    assert idc_hosts[0].run('a', 'b').argv == ('a', 'b')\n"
        "    idc_cluster.faults.kill('cp1', 'etcd')\n"
        "    assert [each.what for each in idc_cluster.faults.happenings()] == ['kill']\n"
        "    with pytest.raises(UsageError, match='nothing'):\n"
        "        idc_cluster.faults.kill('cp1', 'nothing')\n"
    )
    lab.spawn("--idc-target=fake", "-n1", "test_it.py").assert_outcomes(passed=1)


def test_no_cluster_is_told_once(lab: Lab) -> None:
    lab.test("import pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_it(idc_cluster, n): pass\n")
    result = lab.spawn("--idc-target=fake-broken", "-n2", "test_it.py")
    assert result.ret == 6
    assert result.stdout.str().count("no kube-apiserver was found") == 1
    assert lab.log() == ["refused main"]


def test_no_cluster_unless_a_test_needs_it(lab: Lab) -> None:
    lab.test("import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_it(n): pass\n")
    assert lab.spawn("--idc-target=fake", "-n2", "test_it.py").ret == 0
    assert not (lab.path / ".idcbench").exists()
