"""A load in pods, without the pods: processes with their environment, and one result of their lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.metadata import packages_distributions
from pathlib import Path

import msgspec
import numpy as np
import pytest

from idcbench.measure.calls import Call
from idcbench.measure.certificate import self_signed
from idcbench.measure.job_manifests import load_manifests
from idcbench.measure.job_plan import Constant, Diurnal, JobPlan, Poisson, Ramp
from idcbench.measure.job_result import LoadJobError, line_of, merged
from idcbench.measure.load_job import Part, pod_access
from idcbench.measure.open_loop import SENT, Outcome
from idcbench.measure.synthetic import Behaviour, SyntheticServer, SyntheticSettings
from idcbench.scheduler.deploy.image import DISTRIBUTIONS

CALLS = (Call(name="read", path="/a", weight=3), Call(name="write", method="POST", path="/b", body='{"n":"{n}"}'))
PLAN = JobPlan(arrivals=Poisson(rate_per_s=200, duration_s=1, seed=3), calls=CALLS, connections=4)


def started(index: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "idcbench.measure.load_job"],
        env={**os.environ, "JOB_COMPLETION_INDEX": str(index), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def environment(folder: Path, url: str, *, start_unix_s: float) -> dict[str, str]:
    (folder / "plan.json").write_bytes(msgspec.json.encode(PLAN))
    return {
        "IDC_LOAD_COMPLETIONS": "2",
        "IDC_LOAD_START": str(start_unix_s),
        "IDC_LOAD_PLAN": str(folder / "plan.json"),
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": url.rpartition(":")[2],
        "IDC_LOAD_CREDENTIALS": str(folder),
    }


def test_two_pods_send_the_plan_together(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    (tmp_path / "ca.crt").write_bytes(certificate.read_bytes())
    (tmp_path / "token").write_text("secret")
    with SyntheticServer(SyntheticSettings(behaviour=Behaviour(), certificate=certificate, key=key)) as server:
        said = environment(tmp_path, server.url, start_unix_s=time.time() + 8)
        pods = [started(index, said) for index in range(2)]
        outputs = [pod.communicate(timeout=60) for pod in pods]
    assert [errors for _, errors in outputs] == [b"", b""]
    result = merged(output for output, _ in outputs)
    assert result.requests == len(PLAN.arrivals.times())
    assert result.lag.count == result.requests
    assert sum(call.latency.count for call in result.calls.values()) == result.requests
    assert all(call.counts[Outcome.OK] == call.latency.count for call in result.calls.values())


def test_a_start_that_is_over_is_an_error(tmp_path: Path) -> None:
    with SyntheticServer(SyntheticSettings(behaviour=Behaviour())) as server:
        said = {**environment(tmp_path, server.url, start_unix_s=time.time() - 5), "IDC_LOAD_SERVER": server.url}
        output, errors = started(1, said).communicate(timeout=60)
    assert output == b""
    assert errors.startswith(b"error: the load was to begin ")


def test_shares_are_the_whole_plan() -> None:
    for arrivals in (
        Constant(rate_per_s=50, duration_s=1),
        Ramp(from_per_s=1, to_per_s=90, duration_s=1),
        Diurnal(low_per_s=10, high_per_s=90, duration_s=2, period_s=1),
    ):
        plan = msgspec.json.decode(msgspec.json.encode(JobPlan(arrivals=arrivals, calls=CALLS)), type=JobPlan)
        shares = [plan.share(index, 3) for index in range(3)]
        numbers = np.concatenate([share.numbers for share in shares])
        planned = np.concatenate([share.planned_ns for share in shares])
        assert sorted(numbers.tolist()) == list(range(len(plan.arrivals.times())))
        assert (planned[np.argsort(numbers)] == arrivals.times()).all()


def line(index: int, *, completions: int = 2, start: float = 5.0, lag_ms: float = 0.0, plan: JobPlan = PLAN) -> bytes:
    sent = np.zeros(100, dtype=SENT)
    sent["planned_ns"] = np.arange(100) * 1_000_000
    sent["started_ns"] = sent["planned_ns"] + int(lag_ms * 1e6)
    sent["completed_ns"] = sent["started_ns"] + 2_000_000
    sent["outcome"][:3] = Outcome.LATE
    return line_of(plan, sent, index=index, completions=completions, start_unix_s=start, cpu_share=0.1)


def test_counts_add_up_and_who_was_late_is_named() -> None:
    result = merged([line(1, lag_ms=15), line(0)])
    assert result.calls["read"].counts == {Outcome.OK: 194, Outcome.REFUSED: 0, Outcome.BROKEN: 0, Outcome.LATE: 6}
    assert result.calls["write"].latency.count == 0
    assert len(result.objections) == 2
    assert result.objections[0].startswith("pod 1 started 1 % of its requests 15.0 ms late")
    assert result.objections[1].startswith("the load fell behind its plan by 2.5%")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no pod of the load printed its line"),
        ([line(0)], "pods 1 of 2 printed no line"),
        ([line(0), line(1), line(1)], "one ran twice"),
        ([line(0), line(1, start=6.0)], "not send one plan from one time on"),
        ([line(0), line(1, plan=JobPlan(arrivals=PLAN.arrivals, calls=CALLS[:1]))], "not send one plan"),
        ([line(0), b"Traceback"], "the line of a pod is wanted, found b'Traceback'"),
    ],
)
def test_lines_that_are_not_of_one_load_are_refused(lines: list[bytes], said: str) -> None:
    with pytest.raises(LoadJobError, match=said):
        merged(lines)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"IDC_LOAD_START": None}, "IDC_LOAD_START is wanted in the environment"),
        ({"IDC_LOAD_START": "noon"}, "is wrong: could not convert string to float: 'noon'"),
        ({"IDC_LOAD_PLAN": "/none"}, "is wrong: .*No such file"),
        ({"JOB_COMPLETION_INDEX": "2"}, "JOB_COMPLETION_INDEX from 0 to 1 is wanted; found 2"),
        ({"KUBERNETES_SERVICE_HOST": None}, "KUBERNETES_SERVICE_HOST is not set: this is no pod"),
    ],
)
def test_what_is_wrong_in_the_environment_is_named(tmp_path: Path, change: dict[str, str | None], said: str) -> None:
    given = {"JOB_COMPLETION_INDEX": "0", **environment(tmp_path, "x:1", start_unix_s=5), **change}
    with pytest.raises(LoadJobError, match=said):
        Part.of({key: value for key, value in given.items() if value is not None})


def test_a_pod_finds_its_credentials_where_kubernetes_puts_them(tmp_path: Path) -> None:
    for name in ("token", "ca.crt"):
        (tmp_path / name).write_text(name)
    access = pod_access(
        {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "IDC_LOAD_CREDENTIALS": str(tmp_path)}
    )
    assert (access.server, access.headers()) == ("https://[fd00::1]:443", {"Authorization": "Bearer token"})
    assert access.ca_file == tmp_path / "ca.crt"


def test_the_manifest_says_to_each_pod_what_it_has_to_know(tmp_path: Path) -> None:
    config, job = load_manifests(
        PLAN, name="load", namespace="x", image="i", pods=3, start_unix_s=12.5, service_account="loader"
    )
    assert job["spec"]["completionMode"] == "Indexed"
    assert (job["spec"]["completions"], job["spec"]["parallelism"], job["spec"]["backoffLimit"]) == (3, 3, 0)
    pod = job["spec"]["template"]["spec"]
    said = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
    mount, (volume,) = pod["containers"][0]["volumeMounts"][0], pod["volumes"]
    assert volume["configMap"]["name"] == config["metadata"]["name"]
    assert said["IDC_LOAD_PLAN"] == f"{mount['mountPath']}/plan.json"
    (tmp_path / "plan.json").write_text(config["data"]["plan.json"])
    part = Part.of({**said, "JOB_COMPLETION_INDEX": "2", "IDC_LOAD_PLAN": str(tmp_path / "plan.json"),
                    "IDC_LOAD_SERVER": "http://x:1"})  # fmt: skip
    assert (part.plan, part.completions, part.start_unix_s) == (PLAN, 3, 12.5)
    json.dumps([config, job])


def test_the_image_that_idcbench_makes_has_all_that_a_pod_imports() -> None:
    loaded = "import json, sys, idcbench.measure.load_job; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    packages = packages_distributions()
    wanted = {each for name in json.loads(done.stdout) for each in packages.get(name.partition(".")[0], ())}
    assert wanted - {"idcbench", "setuptools"} <= set(DISTRIBUTIONS)  # setuptools has a hook in every environment
