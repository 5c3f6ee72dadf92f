"""A made-up run as the embedded target gives it: three faults, one in two ways, three times; some fifty checks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
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

    log: str
    labels: dict[str, str]
    component: str
    verb: str
    action: str
    write_out_ms: float
    read_out_ms: float
    back_s: float
    bound_ms: float
    explanation: str

    @property
    def host_is_lost(self) -> bool:
        return self.verb.startswith("link")


VRRP = (
    "a VRRP backup takes the address after 3 adverts of 0.5 s and its skew (at most 1.9 s); haproxy there needs 2 "
    "checks 200 ms apart, and etcd an election of up to 2 s when its leader was on the host"
)
ON_REUSED = ". A connection to the lost host is given up when its request misses its deadline of 1 s"
STORIES = (
    Story(
        "apiserver-kill", {"fault": "apiserver-kill"}, "kube-apiserver", "kill", "killed", 0, 0, 3.1, 700,
        "haproxy marks an API server down after 2 failed checks 200 ms apart, each with up to 500 ms to connect, "
        "and sends a refused connection to another server at once",
    ),
    Story(
        "etcd-leader-kill", {"fault": "etcd-leader-kill"}, "etcd", "kill", "killed", 1330, 410, 2.4, 2300,
        "an etcd follower starts an election after 1000 to 2000 ms without a heartbeat, and a vote takes up to 300 ms",
    ),
    Story(
        "host-loss-no-carrier", {"fault": "host-loss", "way": "no-carrier"}, "etcd", "link-no-carrier",
        "link lost, the host sees it", 1850, 1830, 7.8, 3000, VRRP,
    ),
    Story(
        "host-loss-silent", {"fault": "host-loss", "way": "silent"}, "etcd", "link-silent",
        "frames vanish, the host does not see it", 2150, 2120, 8.3, 3000, VRRP,
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
    """Write a whole run below ``root``; ``state`` is passed, failed, invalid, interrupted or cut-off."""
    run = create_run(root, target_id="embedded", name=name)
    random = np.random.default_rng(20261124)
    run.series("cluster.ready", unit="s", better="lower", definition=READY).add(8.41)
    run.series("measure.probe_lag_p99", unit="ms", better="lower", labels={"fault": "none"}, definition=LAG).add(1.9)
    share = run.series(
        "measure.probe_cpu_share", unit="ratio", better="lower", labels={"fault": "none"}, definition=SHARE
    )
    share.add(0.063)
    watch = run.series("failover.watch_latency", unit="ms", better="lower", labels=STORIES[0].labels, definition=WATCH)
    watch.add_many(random.gamma(4, 3.5, 2500))
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
    for connection, more_ms in (("new", 0), ("reused", DEADLINE_MS if story.host_is_lost else 0)):
        explanation = story.explanation + (ON_REUSED if more_ms else "")
        run.happened(
            "bound", fault=story.log, connection=connection, value_ms=story.bound_ms + more_ms, explanation=explanation,
            at_ns=9_999 * S,
        )  # fmt: skip


def _repetition(run: Run, story: Story, repetition: int, begin_ns: int, random: np.random.Generator) -> None:
    fault_ns = begin_ns + 4 * S
    host, other = f"cp{1 + repetition % 3}", f"cp{1 + (repetition + 1) % 3}"
    back_ns = fault_ns + int(story.back_s * random.uniform(0.9, 1.15) * S)
    about = {"fault": story.log, "repetition": repetition, "host": host, "component": story.component}
    own = {"fault": story.log, "repetition": repetition}
    run.happened("vip-owner", at_ns=begin_ns - S, host=host, **own)
    run.happened("fault", at_ns=fault_ns - 2 * MS, verb=story.verb, host=host, component="", test="a::b")
    run.happened(
        "fault", at_ns=fault_ns, action=story.action, verb=story.verb,
        confirmed_ns=fault_ns + int(random.uniform(4, 30) * MS), **about,
    )  # fmt: skip
    labels = dict(story.labels)
    if story.host_is_lost:
        labels["vip_and_leader"] = "yes" if repetition % 3 == 0 else "no"
        moved_ns = fault_ns + int(random.uniform(1.55, 1.85) * S)
        run.happened("vip-left", at_ns=fault_ns + 40 * MS, host=host, **own)
        run.happened("vip-owner", at_ns=moved_ns, host=other, **own)
        run.happened("returned", at_ns=fault_ns + 5 * S, **about)
        run.happened("fault", at_ns=fault_ns + 5 * S - MS, verb="link-up", host=host, component="", test="a::b")
        _add(
            run,
            "virtual_ip_moved",
            "ms",
            labels,
            (moved_ns - fault_ns) / MS,
            "from the fault until another host took it",
        )
    run.happened("recovered", at_ns=back_ns, **about)
    _add(run, "member_back", "ms", labels, (back_ns - fault_ns) / MS, BACK)
    log = run.probe_log(story.log, repetition, deadline_ms=DEADLINE_MS)
    end_ns = back_ns + FAULT_FREE_S * S
    for kind, base in ((WRITE, story.write_out_ms), (READ, story.read_out_ms)):
        for connection, rate in ((REUSED, 25), (NEW, 10)):
            out_ms = base * random.uniform(0.9, 1.15) + (180 if connection == REUSED and base > 1500 else 0)
            rows = _requests(kind, connection, rate, out_ms, (begin_ns, fault_ns, end_ns), random)
            log.add_many(rows)
            _record(
                run, labels | {"connection": ("reused", "new")[connection]}, ("read", "write")[kind], rows, 1000 / rate
            )


def _requests(kind, connection, rate, out_ms, times, random) -> list[tuple[int, ...]]:
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
        elif not out_ms and connection == REUSED and 0 <= into_ms < 40:
            latency_ms, status, outcome = 0.6, 0, UNKNOWN if kind == WRITE else FAILED
        elif 0 <= into_ms < 2500:
            latency_ms *= random.uniform(1, 4)
        started = planned + int(random.gamma(1.5, 0.3) * MS)
        completed = max(started, planned + int(latency_ms * MS))
        rows.append((planned, started, completed, kind, connection, status, outcome))
    return rows


def _record(run: Run, labels: dict[str, str], kind: str, rows: list[tuple[int, ...]], interval_ms: float) -> None:
    successes = sorted(row[2] for row in rows if row[6] == OK)
    longest_ms = max((after - before) / MS for before, after in pairwise(successes))
    bad = [row[0] for row in rows if row[6] != OK]
    _add(run, f"{kind}_outage", "ms", labels, max(0.0, longest_ms - interval_ms), OUTAGE)
    labels = labels | {"kind": kind}
    if "way" in labels:
        _add(run, "return_outage", "ms", labels, 12.0, "the same, while what was lost comes back")
    _add(run, "failed", "requests", labels, sum(row[6] == FAILED for row in rows), "refused, broken or late")
    _add(run, "unknown", "requests", labels, sum(row[6] == UNKNOWN for row in rows), "writes without an answer")
    _add(run, "total", "requests", labels, len(rows), "requests planned from the fault to the end")
    _add(run, "degraded_window", "ms", labels, (max(bad) - min(bad)) / MS if bad else 0.0, "first to last bad request")
    _add(run, "worst_latency", "ms", labels, max(row[2] - row[0] for row in rows) / MS, "from the planned start")


def _add(run: Run, name: str, unit: str, labels: dict[str, str], value: float, definition: str) -> None:
    run.series(f"failover.{name}", unit=unit, better="lower", labels=labels, definition=definition).add(value)


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
                )
            )
    for story in STORIES:
        checks.append(
            Check(
                nodeid=f"failover/test_faults.py::test_fault[{story.log}]",
                suite="failover",
                outcome="passed",
                title="Clients get over it within the bound, and nothing acknowledged is lost",
                proves="endpoint",
                duration_s=71.3,
            )
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
OUTAGE = "longest time between two successive successful completions, less the interval between two requests"
WATCH = "from the planned start of an acknowledged write to the arrival of its event"
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
