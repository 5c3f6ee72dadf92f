"""A session with a target: when the cluster is brought up, what tests get, what the run says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Lab

ONE = "def test_one(idc_cluster):\n    '''It is there.'''\n    assert idc_cluster.facts.name == 'lab'\n"


def test_the_cluster_is_there_once_and_gone_afterwards(lab: Lab) -> None:
    lab.test(ONE + "def test_two(idc_hosts): assert idc_hosts[0].run('x').check().stdout == 'ran\\n'")
    result = lab.run("--idc-target=fake", "test_it.py")
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    assert lab.log() == ["up main", "down main"]


def test_the_header_and_the_cluster_have_a_line_each(lab: Lab) -> None:
    lab.test(ONE)
    result = lab.run("--idc-target=fake", "--idc-nodes=7", "--idc-control-planes=1", "test_it.py")
    result.stdout.fnmatch_lines(
        [
            "idcbench: target fake, Kubernetes 1.37, 1 control plane, 7 nodes, profile default",
            "idcbench: fake lab ready after 4.5 s: Kubernetes 1.37, 1 control plane, 7 nodes",
            "idcbench: run .idcbench/fake/0001_run (valid, 3 metrics)*",
        ]
    )


@pytest.mark.parametrize("args", [("--collect-only",), ("-k", "pure")])
def test_no_cluster_unless_a_selected_test_needs_it(lab: Lab, args: tuple[str, ...]) -> None:
    lab.test(ONE + "def test_pure(): pass")
    assert lab.run("--idc-target=fake", "test_it.py", *args).ret == 0
    assert not (lab.path / "log").exists()
    assert not (lab.path / ".idcbench").exists()


def test_keep_leaves_it_and_the_next_session_finds_it(lab: Lab) -> None:
    lab.test(ONE)
    lab.run("--idc-target=fake", "--idc-keep", "test_it.py")
    result = lab.run("--idc-target=fake", "--idc-keep", "--idc-run-name=again", "test_it.py")
    result.stdout.fnmatch_lines(["idcbench: fake lab found ready*", "*0002_again*"])
    assert lab.log() == ["up main", "left main", "left main"]
    assert {each["name"] for each in lab.document()["metrics"]} == {
        "measure.clock_offset",
        "measure.clock_offset_error",
    }


def test_the_target_may_stand_in_the_ini_file_and_then_changes_nothing_of_what_runs(lab: Lab) -> None:
    lab.pytester.makeini("[pytest]\nidc_target = fake\nidc_nodes = 9\n")
    lab.test("def test_it(idc_cluster): assert idc_cluster.facts.nodes == 9")
    lab.run().assert_outcomes(passed=1)


def test_without_a_target_a_test_is_told_what_to_type_in_one_line(lab: Lab) -> None:
    lab.test("def test_it(idc_record): pass")
    result = lab.run("test_it.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_it*", "idc_cluster needs a cluster: type `pytest --idc-target=embedded`*"])
    assert not any("fixtures.py" in line for line in result.outlines)


def test_a_fixture_may_be_overridden(lab: Lab) -> None:
    lab.test(
        "import pytest\n"
        "@pytest.fixture\n"
        "def idc_hosts(idc_hosts): return idc_hosts * 2\n"
        "def test_it(idc_hosts): assert len(idc_hosts) == 2\n"
    )
    lab.run("--idc-target=fake", "test_it.py").assert_outcomes(passed=1)


def test_the_run_says_what_happened(lab: Lab) -> None:
    lab.test(
        "import pytest\n"
        "@pytest.mark.idc(proves='api', negative=True)\n" + ONE + "@pytest.mark.idc(needs=['real-pods', 'ha'])\n"
        "def test_skipped(idc_cluster): pass\n"
        "def test_failed(idc_record):\n"
        "    idc_record('startup', 1.5, unit='s', labels={'size': 3})\n"
        "    assert 1 == 2\n"
        "@pytest.fixture\n"
        "def broken(): raise ValueError('no')\n"
        "def test_error(broken): pass\n"
        "@pytest.mark.xfail(reason='later', strict=True)\n"
        "def test_later(): assert False\n"
    )
    assert lab.run("--idc-target=fake", "test_it.py").ret == 1
    document = lab.document()
    skipped = "needs real-pods, which target fake does not have"
    assert document["tests"] == {
        "passed": 1,
        "failed": 1,
        "errors": 1,
        "skipped": 2,
        "selected": 5,
        "reasons": {skipped: 1, "expected to fail: later": 1},
    }
    first, second, third, fourth, _ = document["checks"]
    assert (first["title"], first["proves"], first["negative"]) == ("It is there.", "api", True)
    assert second["reason"] == skipped
    assert third["outcome"] == "failed"
    assert third["reason"].startswith("assert 1 == 2")
    assert "assert 1 == 2" in third["longrepr"]
    assert (fourth["outcome"], fourth["reason"]) == ("error", "ValueError: no")
    assert [(m["name"], m["labels"], m["p50"]) for m in document["metrics"] if "clock" not in m["name"]] == [
        ("cluster.ready", {}, 4.5),
        ("startup", {"size": "3"}, 1.5),
    ]
    assert document["facts"]["cluster"]["name"] == "lab"
    assert document["facts"]["hosts"] == [{"name": "cp1", "address": "10.0.0.1"}]
    assert document["options"]["given"] == ["target"]
    assert document["valid"]
    assert not document["interrupted"]


def test_junit_goes_into_the_run_and_where_the_user_wants_it(lab: Lab) -> None:
    lab.test(ONE)
    result = lab.run("--idc-target=fake", "test_it.py")
    assert 'name="test_one"' in (lab.path / ".idcbench/fake/latest/junit.xml").read_text()
    assert "generated xml" not in result.stdout.str()
    lab.run("--idc-target=fake", "--junitxml=mine.xml", "test_it.py")
    assert (lab.path / ".idcbench/fake/latest/junit.xml").read_text() == (lab.path / "mine.xml").read_text()


def test_a_disruptive_test_needs_leave_on_a_cluster_of_somebody_else(lab: Lab) -> None:
    lab.test("import pytest\n@pytest.mark.idc_disruptive\n" + ONE)
    refused = lab.run("--idc-target=fake-foreign", "-rs", "test_it.py")
    refused.assert_outcomes(skipped=1)
    assert refused.ret == 5
    refused.stdout.fnmatch_lines(["*cluster lab was not made by idcbench; --idc-allow-disruption=lab*"])
    assert lab.run("--idc-target=fake-foreign", "--idc-allow-disruption=other", "test_it.py").ret == 5
    allowed = lab.run("--idc-target=fake-foreign", "--idc-allow-disruption=lab", "test_it.py")
    allowed.assert_outcomes(passed=1)


def test_only_disruptive_tests_may_break_the_cluster_and_acts_go_into_the_timeline(lab: Lab) -> None:
    lab.test(
        "import pytest\n"
        "@pytest.mark.idc_disruptive\n"
        "def test_may(idc_cluster): idc_cluster.faults.link('cp1', 'silent'); idc_cluster.faults.link('cp1', 'up')\n"
        "def test_may_not(idc_cluster): idc_cluster.faults.kill('cp1', 'etcd')\n"
    )
    result = lab.run("--idc-target=fake", "test_it.py")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*UsageError: *faults.kill is for tests marked idc_disruptive*"])
    lines = (lab.path / ".idcbench/fake/latest/timeline.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["verb"] for event in events if event["what"] == "act"] == ["link-silent", "link-up"]
    assert [event["host"] for event in events if event.get("source") == "cluster"] == ["cp1", "cp1"]


def test_the_timeline_tells_when_each_test_began_and_how_it_ended(lab: Lab) -> None:
    lab.test(
        "import pytest\n"
        "def test_passes(idc_cluster): pass\n"
        "def test_fails(idc_cluster): assert False\n"
        "@pytest.fixture\n"
        "def late(): yield; raise OSError('late')\n"
        "def test_late(idc_cluster, late): pass\n"
        "def test_skips(idc_cluster): pytest.skip('why')\n"
    )
    lab.run("--idc-target=fake", "test_it.py")
    lines = (lab.path / ".idcbench/fake/latest/timeline.jsonl").read_text().splitlines()
    told = [event for event in map(json.loads, lines) if event["what"].startswith("test-")]
    assert [(event["what"], event["nodeid"].partition("::")[2], event.get("outcome")) for event in told] == [
        each
        for name, outcome in (("passes", "passed"), ("fails", "failed"), ("late", "error"), ("skips", "skipped"))
        for each in (("test-began", f"test_{name}", None), ("test-ended", f"test_{name}", outcome))
    ]


EXIT = (
    "import conftest\ndef crash(c): conftest.happen(host='cp1', component=c, what='exited', asked=False, exit_code=2,"
)


def test_an_exit_that_no_fault_explains_fails_the_test(lab: Lab) -> None:
    lab.test(
        f"import pytest\n{EXIT} last_lines=['panic: x'])\n"
        "def test_in_call(idc_cluster): crash('etcd')\n"
        "def test_after(idc_cluster): pass\n"
        "@pytest.fixture\n"
        "def late(idc_cluster):\n"
        "    yield\n"
        "    crash('haproxy')\n"
        "def test_in_teardown(late): pass\n"
        "@pytest.mark.idc_disruptive\n"
        "def test_explained(idc_cluster):\n"
        "    idc_cluster.faults.kill('cp1', 'etcd')\n"
        "    crash('etcd'), crash('kube-apiserver')\n"
        "def test_aftermath(idc_cluster): crash('kube-scheduler')\n"
    )
    result = lab.run("--idc-target=fake", "test_it.py")
    result.assert_outcomes(passed=4, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*haproxy on cp1 exited with 2, which no fault*", "*| panic: x", "*etcd on cp1 exited with 2, which no fault*"]
    )
    outcomes = [check["outcome"] for check in lab.document()["checks"]]
    assert outcomes == ["failed", "passed", "error", "passed", "passed"]


def test_a_breached_limit_fails_the_test_that_measured(lab: Lab) -> None:
    (lab.path / "limits.yaml").write_text("- {metric: outage, statistic: max, at_most: 2}\n")
    lab.test(
        "def test_good(idc_record): idc_record('outage', 1.9, unit='s')\n"
        "def test_bad(idc_record): idc_record('outage', 2.1, unit='s')\n"
        "def test_other(idc_record): idc_record('other', 9, unit='s')\n"
    )
    result = lab.run("--idc-target=fake", "--idc-limits=limits.yaml", "test_it.py")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["outage max is 2.1 s, at most 2 is allowed"])
    assert [check["outcome"] for check in lab.document()["checks"]] == ["passed", "failed", "passed"]


def test_the_run_directory_is_told_when_it_is_complete(lab: Lab) -> None:
    lab.test(ONE)
    conftest = lab.path / "conftest.py"
    conftest.write_text(
        conftest.read_text() + "\ndef pytest_idc_run_finished(path):\n"
        "    assert not (HERE / 'cluster.json').exists()\n"
        "    log(f'finished {path.name} {(path / \"run.json\").stat().st_size > 0}')\n"
    )
    lab.run("--idc-target=fake", "test_it.py")
    assert lab.log()[-1] == "finished 0001_run True main"
