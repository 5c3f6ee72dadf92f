"""A target without a cluster, written into pytester's directory as conftest.py. Processes share its state, a file.

``cluster.json`` is there while the cluster is; ``log`` tells who brought it up and took it down; happenings are lines
of ``happenings.jsonl``, which tests may add to; its host's clock is ahead by what ``ahead_ms`` holds.
"""

import asyncio
import json
import os
import time
from contextlib import asynccontextmanager
from pathlib import Path

from idcbench.cluster import Capability, ClusterFacts, Happening
from idcbench.errors import ClusterError, UsageError
from idcbench.hosts.completed import Completed
from idcbench.kube.access import Access

HERE = Path.cwd()
HAPPENINGS = HERE / "happenings.jsonl"


def log(line):
    with (HERE / "log").open("a") as file:
        file.write(f"{line} {os.environ.get('PYTEST_XDIST_WORKER', 'main')}\n")


def happen(**fields):
    with HAPPENINGS.open("a") as file:
        file.write(json.dumps({"at_ns": time.monotonic_ns(), **fields}) + "\n")


class FakeHost:
    name, address = "cp1", "10.0.0.1"

    async def run(self, *argv, timeout_s=30.0):  # noqa: ARG002
        ahead = HERE / "ahead_ms"
        said = str(time.time_ns() + int(ahead.read_text()) * 10**6 if ahead.exists() else time.time_ns())
        return Completed(self.name, argv, 0, said if argv[0] == "date" else "ran\n", "")


class FakeFaults:
    def __getattr__(self, verb):
        async def act(host, *args):
            if "nothing" in args:
                raise UsageError(f"no 'nothing' on {host!r}")
            happen(host=host, component=str(args[0]) if args else "", what=verb, asked=True)

        return act

    async def happenings(self, *, since_ns=0):
        lines = HAPPENINGS.read_text().splitlines() if HAPPENINGS.exists() else []
        found = [json.loads(line) for line in lines]
        return [
            Happening(**{**each, "last_lines": tuple(each.get("last_lines", ()))})
            for each in found
            if each["at_ns"] > since_ns
        ]


class FakeCluster:
    hosts = (FakeHost(),)
    workers = ()
    capabilities = frozenset({Capability.HOST_FAULTS, Capability.HA})

    def __init__(self, spec, reused, ours):
        self.facts = ClusterFacts(
            target="fake",
            name="lab",
            kubernetes=spec.kubernetes,
            etcd="3.7",
            profile=spec.profile,
            shape=spec.shape,
            control_planes=spec.control_planes,
            nodes=spec.nodes,
            ready_s=None if reused else 4.5,
            reused=reused,
            ours=ours,
            versions={"kubernetes": spec.kubernetes},
        )
        self.access = Access(server="https://127.0.0.1:1", kubeconfig=HERE / "kubeconfig")
        self.faults = FakeFaults() if ours else None


class FakeTarget:
    def __init__(self, kind):
        self.id = "fake"
        self.kind = kind

    @asynccontextmanager
    async def cluster(self, spec, *, keep):
        state = HERE / "cluster.json"
        reused = state.exists()
        if self.kind == "broken":
            log("refused")
            raise ClusterError("no kube-apiserver was found; type `idcbench artifacts get`")
        if self.kind == "misfit":
            raise UsageError("cluster lab has 1 control plane, 3 were asked for; use --control-planes 1")
        if self.kind == "bug":
            raise ZeroDivisionError("a bug")
        if self.kind == "slow":
            (HERE / "waiting").touch()
            await asyncio.sleep(60)
        if not reused:
            state.write_text(str(os.getpid()))
            log("up")
        try:
            yield FakeCluster(spec, reused, ours=self.kind != "foreign")
        finally:
            if not keep and not reused:
                state.unlink()
                log("down")
            else:
                log("left")


def pytest_idc_target(target):
    kind = target.removeprefix("fake").removeprefix("-")
    return FakeTarget(kind) if target.startswith("fake") else None
