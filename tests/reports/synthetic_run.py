"""A run as the embedded target gives it, made up: three faults in three repetitions, fifty-odd checks, all facts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from idcbench.cluster import ClusterFacts, Timers
from idcbench.runs.directory import Run, create_run
from idcbench.runs.schema import Check, TestCounts, Validity

S = 1_000_000_000
MS = 1_000_000
READ, WRITE, REUSED, NEW, OK, FAILED, UNKNOWN = 0, 1, 0, 1, 0, 1, 2
DEADLINE_MS = 1000
FAULT_FREE_S = 10


@dataclass(frozen=True)
class Story:
    """How one fault goes: its act, for how long writes and reads stand still, when the member is back."""

    name: str
    component: str
    action: str
    write_out_ms: float
    read_out_ms: float
    refused: bool
    back_s: float
    moves_address: bool
    bound_ms: float
    explanation: str


STORIES = (
    Story(
        "apiserver-kill", "kube-apiserver", "kill", 0, 0, True, 3.1, False, 700,
        "haproxy marks an API server down after 2 failed checks 200 ms apart, each with up to 500 ms to connect, "
        "and sends a refused connection to another server at once",
    ),
    Story(
        "etcd-leader-kill", "etcd", "kill", 1330, 410, False, 2.4, False, 2300,
        "an etcd follower starts an election after 1000 to 2000 ms without a heartbeat, and a vote takes up to 300 ms",
    ),
    Story(
        "host-loss", "", "link no-carrier", 2050, 2020, False, 7.8, True, 3000,
        "a VRRP backup takes the address after 3 adverts of 0.5 s and its skew (at most 1.9 s); haproxy there needs "
        "2 checks 200 ms apart, etcd an election of up to 2 s when its leader was on the host",
    ),
)  # fmt: skip

AREAS = {
    "workloads": (
        ("A Deployment rolls out every replica", "controller", False),
        ("A rollback brings the former template back", "controller", False),
        ("A paused Deployment does not roll out", "controller", True),
        ("A Deployment scales to zero and back", "controller", False),
        ("A StatefulSet starts its pods in order", "controller", False),
        ("A DaemonSet puts one pod on every node", "controller", False),
        ("A Job stops after its backoff limit", "controller", True),
        ("An Indexed Job gives every index one pod", "controller", False),
        ("A CronJob makes a Job when its time has come", "controller", False),
    ),
    "configuration": (
        ("A ConfigMap comes back as it was written", "api", False),
        ("A Secret over 1 MiB is refused", "api", True),
        ("An immutable ConfigMap cannot be changed", "api", True),
        ("An immutable Secret cannot be changed", "api", True),
    ),
    "networking": (
        ("A Service's EndpointSlice lists the ready pods", "controller", False),
        ("A headless Service has no cluster IP", "api", False),
        ("A second default IngressClass is refused", "api", True),
    ),
    "access": (
        ("A service account may do what its Role allows", "api", False),
        ("A service account may not do anything else", "api", True),
        ("A ValidatingAdmissionPolicy refuses what it forbids", "api", True),
        ("A token expires and is refused afterwards", "api", True),
        ("A certificate is signed once it is approved", "controller", False),
        ("The audit log says who did what", "api", False),
    ),
    "limits": (
        ("A quota refuses the pod that exceeds it", "api", True),
        ("A LimitRange refuses a container above its maximum", "api", True),
        ("A LimitRange fills in what a pod leaves out", "api", False),
    ),
    "definitions": (
        ("A custom resource with a wrong field type is refused", "api", True),
        ("A default of the schema is filled in", "api", False),
        ("A stored custom resource survives an upgrade of its schema", "api", False),
        ("The status subresource leaves the specification alone", "api", True),
        ("Server-side apply reports a conflict", "api", True),
    ),
    "watching": (
        ("A watch sends bookmarks", "api", False),
        ("A watch resumes where it stopped", "api", False),
        ("A watch from an expired version is answered 410", "api", True),
        ("A list comes in pages that agree with each other", "api", False),
        ("An expired continue token is answered 410", "api", True),
    ),
    "scheduling": (
        ("A pod with high priority preempts", "scheduler", False),
        ("A taint keeps pods away that do not tolerate it", "scheduler", True),
        ("A drained node is empty and its budget was kept", "controller", False),
    ),
    "cleanup": (
        ("A deleted owner takes its dependents along", "controller", False),
        ("A finalizer holds back the deletion", "api", True),
        ("A deleted namespace is gone with all it held", "controller", False),
    ),
    "availability": (
        ("Every etcd member is healthy and agrees on the leader", "etcd", False),
        ("The endpoint list holds all three API servers", "controller", False),
        ("The virtual IP is on one host only", "endpoint", False),
        ("Controller-manager and scheduler have one leader each", "controller", False),
    ),
}


def make_run(root: Path, *, repetitions: int = 3, state: str = "passed", name: str = "run") -> Run:
    """Write a whole run below ``root``; ``state`` is passed, failed, invalid, interrupted, cut-off or simulated."""
    run = create_run(root, target_id="embedded", name=name)
    random = np.random.default_rng(20261124)
    run.series("cluster.ready", unit="s", better="lower", definition=READY).add(8.41)
    run.series("probe.start_lag", unit="ms", better="lower", definition=LAG).add_many(random.gamma(1.5, 0.35, 4200))
    run.series("probe.cpu_share", unit="%", better="lower", definition=SHARE).add(6.3)
    for story in STORIES:
        _bound(run, story)
    begin_ns = 10_000 * S
    for repetition in range(1, repetitions + 1):
        for story in STORIES:
            _repetition(run, story, repetition, begin_ns, random)
            begin_ns += 40 * S
    if state == "invalid":
        run.invalidate("the probe's start lag p99 was 14.2 ms, allowed are 10 ms; leave it more of the machine")
    if state != "cut-off":
        checks = _checks(failing=state in ("failed", "interrupted"))
        run.finish(
            tests=TestCounts.of(checks), checks=checks, facts=FACTS, options=OPTIONS, validity=Validity(),
            interrupted=state == "interrupted",
        )  # fmt: skip
        (run.path / "junit.xml").write_text("<testsuites/>")
    return run


def _bound(run: Run, story: Story) -> None:
    run.happened("bound", fault=story.name, value_ms=story.bound_ms, explanation=story.explanation, at_ns=9_999 * S)


def _repetition(run: Run, story: Story, repetition: int, begin_ns: int, random: np.random.Generator) -> None:
    fault_ns = begin_ns + 4 * S
    host = f"cp{1 + repetition % 3}"
    end_ns = fault_ns + int((story.back_s + FAULT_FREE_S) * S)
    run.happened("vip-owner", host=host, at_ns=begin_ns + S // 10)
    run.happened(
        "fault", at_ns=fault_ns, fault=story.name, repetition=repetition, action=story.action, host=host,
        component=story.component, confirmed_ns=fault_ns + int(random.uniform(4, 30) * MS),
    )  # fmt: skip
    back_s = story.back_s * random.uniform(0.9, 1.15)
    run.happened(
        "recovered", at_ns=fault_ns + int(back_s * S), fault=story.name, repetition=repetition, host=host,
        component=story.component,
    )  # fmt: skip
    if story.moves_address:
        moved_ns = fault_ns + int(random.uniform(1.55, 1.85) * S)
        run.happened("vip-owner", host=f"cp{1 + (repetition + 1) % 3}", at_ns=moved_ns)
    log = run.probe_log(story.name, repetition, deadline_ms=DEADLINE_MS)
    for kind, base in ((WRITE, story.write_out_ms), (READ, story.read_out_ms)):
        for connection, rate in ((REUSED, 25), (NEW, 10)):
            out_ms = base * random.uniform(0.9, 1.15) + (180 if connection == REUSED and base > 1500 else 0)
            rows = _requests(story, kind, connection, rate, out_ms, (begin_ns, fault_ns, end_ns), random)
            log.add_many(rows)
            _record(run, story, ("read", "write")[kind], ("reused", "new")[connection], rows, 1000 / rate)
    labels = {"fault": story.name}
    run.series("failover.member_back", unit="ms", better="lower", labels=labels, definition=BACK).add(back_s * 1000)


def _requests(story, kind, connection, rate, out_ms, times, random) -> list[tuple[int, ...]]:
    begin_ns, fault_ns, end_ns = times
    rows = []
    usual_ms = (2.1 if kind == READ else 4.6) + (4.2 if connection == NEW else 0)
    for planned in range(begin_ns + int(random.uniform(0, S / rate)), end_ns, S // rate):
        latency_ms = usual_ms * random.lognormal(0, 0.22) * (6 if random.random() < 0.004 else 1)
        status, outcome = (200, 201)[kind], OK
        into_ms = (planned - fault_ns) / MS
        if 0 <= into_ms < out_ms:
            waits_ms = out_ms - into_ms + latency_ms
            late = waits_ms >= DEADLINE_MS
            latency_ms = DEADLINE_MS if late else waits_ms
            status, outcome = (0, UNKNOWN if kind == WRITE else FAILED) if late else (status, OK)
        elif story.refused and connection == REUSED and 0 <= into_ms < 40:
            latency_ms, status, outcome = 0.6, 0, UNKNOWN if kind == WRITE else FAILED
        elif 0 <= into_ms < 2500:
            latency_ms *= random.uniform(1, 4)
        started = planned + int(random.gamma(1.5, 0.3) * MS)
        completed = max(started, planned + int(latency_ms * MS))
        rows.append((planned, started, completed, kind, connection, status, outcome))
    return rows


def _record(
    run: Run, story: Story, kind: str, connection: str, rows: list[tuple[int, ...]], interval_ms: float
) -> None:
    successes = sorted(row[2] for row in rows if row[6] == OK)
    longest_ms = max((after - before) / MS for before, after in zip(successes, successes[1:], strict=False))
    outage_ms = longest_ms - interval_ms if longest_ms > 2 * interval_ms else 0.0
    labels = {"fault": story.name, "connection": connection}
    run.series(
        f"failover.{kind}_outage", unit="ms", better="lower", labels=labels, definition=OUTAGE.format(kind)
    ).add(outage_ms)  # fmt: skip


def _checks(*, failing: bool) -> list[Check]:
    checks = []
    for area, titles in AREAS.items():
        for number, (title, proves, negative) in enumerate(titles):
            checks.append(
                Check(
                    nodeid=f"functional/test_{area}.py::test_{number}",
                    title=title,
                    suite="functional",
                    proves=proves,
                    negative=negative,
                    outcome="passed",
                    duration_s=0.1 + number * 0.37,
                )  # fmt: skip
            )
    for story in STORIES:
        checks.append(
            Check(
                nodeid=f"failover/test_faults.py::test_fault[{story.name}]",
                suite="failover",
                outcome="passed",
                title="Clients get over it within the bound, and nothing acknowledged is lost",
                proves="endpoint",
                duration_s=71.3,
            )  # fmt: skip
        )
    if failing:
        checks[14] = _with(checks[14], outcome="failed", reason="AssertionError: 3 endpoints, wanted 4", longrepr=TRACE)
        checks[20] = _with(checks[20], outcome="skipped", reason="needs real-pods, which simulated nodes lack")
        checks[31] = _with(checks[31], outcome="skipped", reason="needs real-pods, which simulated nodes lack")
        checks[36] = _with(checks[36], outcome="error", reason="TimeoutError: namespace still there after 30 s")
    return checks


def _with(check: Check, **changes: str) -> Check:
    return Check(**{field: getattr(check, field) for field in check.__struct_fields__} | changes)


READY = (
    "from the first process started until a write through the virtual IP was acknowledged and all leaders were elected"
)
LAG = "actual start of a probe's request less its planned start, before the first fault"
SHARE = "CPU time of the probe's process per wall time and core, before the first fault"
OUTAGE = "longest time between two successive successful completions of {}s, less the interval between two requests"
BACK = "from the fault until the member served again"
TRACE = """    def test_endpoint_slice(idc_client, namespace):
        deployment = idc_client.create(deployment(replicas=4))
>       assert len(addresses) == 4
E       AssertionError: 3 endpoints, wanted 4
E         <EndpointSlice web-x7f2k> & "web-0" is not ready"""
FACTS = {
    "cluster": ClusterFacts(
        target="embedded", name="", kubernetes="1.37.2", etcd="3.7.3", profile="default", shape="full",
        control_planes=3, nodes=50, provenance="a build from modules, not the official release",
        timers=Timers(
            vrrp_advert_s=0.5, check_inter_ms=500, check_fast_ms=200, check_fall=2, connect_ms=500,
            etcd_heartbeat_ms=100, etcd_election_ms=1000, lease_s=15, renew_s=10, retry_s=2,
        ),
        virtual_ip="10.87.0.100", ready_s=8.41,
        versions={"kubernetes": "1.37.2", "etcd": "3.7.3", "kwok": "0.8.0", "haproxy": "2.6.12", "keepalived": "2.2.7"},
        digests={"kubernetes": "sha256:" + "3f9a" * 16, "etcd": "sha256:" + "b07c" * 16},
    ),
    "capabilities": ["ha", "host-faults", "host-power", "many-nodes"],
    "hosts": [
        {"name": f"cp{number}", "address": f"10.87.0.1{number}", "kind": "network namespace"} for number in (1, 2, 3)
    ],
}  # fmt: skip
OPTIONS = {
    "target": "embedded", "suite": "all", "control_planes": 3, "nodes": 50, "kubernetes": "1.37", "profile": "default",
    "repeat": 3, "keep": False, "deadline_ms": 1000, "limits": None,
}  # fmt: skip
