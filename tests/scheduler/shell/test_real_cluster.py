"""Beside the real kube-scheduler, in a real cluster: the same metrics, roles that suffice, objects that are taken."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession
from idcbench.provisioning.embedded import own_scheduler
from idcbench.provisioning.embedded.cluster import EmbeddedCluster
from idcbench.scheduler.deploy.manifests import Deployed, manifests
from idcbench.scheduler.explain.asking import ask_schedulers
from idcbench.scheduler.explain.record import Explained
from idcbench.scheduler.service import metrics_families
from idcbench.scheduler.service.metrics_families import Family

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]

PODS = "/api/v1/namespaces/default/pods"
OURS, THEIRS = "https://10.77.0.1:10260", "https://127.0.0.1:10259"


@dataclass
class Exposed:
    """A family as a scrape shows it."""

    kind: str
    stability: str
    labels: set[str] = field(default_factory=set)
    bounds: set[str] = field(default_factory=set)


def exposed(text: str) -> dict[str, Exposed]:
    found: dict[str, Exposed] = {}
    stability = re.compile(r"^# HELP (\S+) (?:\[(\w+)\])?", re.M)
    levels = dict(stability.findall(text))
    for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", text, re.M):
        found[name] = Exposed(kind, levels.get(name, ""))
    for name, labels in re.findall(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ", text, re.M):
        family = found.get(name) or found.get(re.sub(r"_(bucket|sum|count)$", "", name))
        assert family is not None, name
        pairs = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels))
        if family.kind == "histogram" and "le" in pairs:
            family.bounds.add(pairs.pop("le"))
        family.labels |= pairs.keys()
    return found


def declared() -> Iterator[Family]:
    yield from metrics_families.OF_LIBRARIES
    yield from (value for value in vars(metrics_families).values() if isinstance(value, Family))


async def until(holds: Callable[[], Awaitable[Any]], *, limit_s: float = 60) -> Any:
    async with asyncio.timeout(limit_s):
        while not (found := await holds()):
            await asyncio.sleep(0.1)
    return found


async def scrape(cluster: EmbeddedCluster, url: str) -> str:
    admin = ("--cert", str(cluster.state.pki / "admin.crt"), "--key", str(cluster.state.pki / "admin.key"))
    done = await cluster.hosts[0].run("curl", "-sk", *admin, url)
    return done.stdout


async def make_pod(api: ApiSession, name: str, *, scheduler: str, cpu: str = "100m") -> None:
    container = {"name": "x", "image": "x", "resources": {"requests": {"cpu": cpu}}}
    spec = {"schedulerName": scheduler, "containers": [container]}
    await api.post(PODS, {"metadata": {"name": name}, "spec": spec})


async def read_pod(api: ApiSession, name: str) -> dict[str, Any]:
    return dict(json.loads(await api.get(f"{PODS}/{name}")))


async def test_both_serve_and_show_the_same_metrics(cluster: EmbeddedCluster) -> None:
    async with ApiSession(cluster.access) as api:
        await until(lambda: has_account(api))
        for who in ("default-scheduler", "idcbench"):
            await make_pod(api, f"fits-{who}", scheduler=who)
            await make_pod(api, f"too-big-{who}", scheduler=who, cpu="5000")

            async def is_settled(who: str = who) -> bool:
                bound = (await read_pod(api, f"fits-{who}"))["spec"].get("nodeName")
                told = (await read_pod(api, f"too-big-{who}"))["status"].get("conditions")
                return bool(bound and told and told[0]["reason"] == "Unschedulable")

            await until(is_settled)
    theirs, ours = (
        exposed(await scrape(cluster, f"{THEIRS}/metrics")),
        exposed(await scrape(cluster, f"{OURS}/metrics")),
    )
    by_name = {family.name: family for family in declared()}
    wanted = {name: one for name, one in theirs.items() if one.stability in ("STABLE", "BETA")}
    assert len(wanted) > 25
    assert set(wanted) <= set(ours)
    for name, one in wanted.items():
        same = ours[name]
        assert (same.kind, same.stability) == (one.kind, one.stability), name
        assert one.labels <= set(by_name[name].labels), name
        assert not one.labels or one.labels == set(by_name[name].labels), name
        if one.bounds and same.bounds:
            assert {float(bound) for bound in same.bounds} == {float(bound) for bound in one.bounds}, name
        if one.bounds:
            upper = {*map(float, by_name[name].buckets), float("inf")}
            assert upper == {float(bound) for bound in one.bounds}, name


async def has_account(api: ApiSession) -> bool:
    """Pods are refused until the namespace's service account is there."""
    try:
        await api.get("/api/v1/namespaces/default/serviceaccounts/default")
    except ApiError:
        return False
    return True


async def test_its_roles_are_enough(cluster: EmbeddedCluster) -> None:
    """Nothing that it tried was forbidden."""
    log = (cluster.state.logs / "cp1" / f"{own_scheduler.COMPONENT}.log").read_text()
    assert "kernels are ready" in log
    assert "orbidden" not in log
    audit = (cluster.state.logs / "cp1" / "audit.log").read_text().splitlines()
    refused = [line for line in audit if '"username":"idcbench-scheduler"' in line and '"code":403' in line]
    assert not refused


async def test_strangers_are_refused_and_health_is_open(cluster: EmbeddedCluster) -> None:
    trust = ("--cacert", str(cluster.state.pki / "ca.crt"))
    for path, code in (("/metrics", "403"), ("/debug/explain/default/x", "403"), ("/readyz", "200")):
        done = await cluster.hosts[0].run("curl", "-s", *trust, "-o", "/dev/null", "-w", "%{http_code}", OURS + path)
        assert done.stdout == code, path


async def test_the_leader_tells_why(cluster: EmbeddedCluster) -> None:
    async with ApiSession(cluster.access) as api:
        await until(lambda: has_account(api))
        await make_pod(api, "why", scheduler="idcbench", cpu="5000")

        async def asked() -> Explained | None:
            found = await ask_schedulers(cluster.access, [OURS], namespace="default", pod="why")
            return found if found and found.past else None

        told = await until(asked)
    assert told.leader
    assert told.past[0].message.endswith("Insufficient cpu.")
    (refusal,) = told.now.refusals
    assert refusal.plugin == "NodeResourcesFit"
    assert "cpu" in refusal.nearest


async def test_the_api_server_takes_the_manifests(cluster: EmbeddedCluster) -> None:
    plurals = own_scheduler.PLURALS | {
        "ServiceAccount": "serviceaccounts", "ConfigMap": "configmaps", "PodDisruptionBudget": "poddisruptionbudgets",
        "Deployment": "deployments",
    }  # fmt: skip
    async with ApiSession(cluster.access) as api:
        for obj in manifests(Deployed(image="x", configuration="a: b\n")):
            meta, version = obj["metadata"], obj["apiVersion"]
            root = "/api/v1" if version == "v1" else f"/apis/{version}"
            within = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
            query = {"fieldManager": "t", "dryRun": "All", "fieldValidation": "Strict", "force": "true"}
            path = f"{root}{within}/{plurals[obj['kind']]}/{meta['name']}"
            await api.patch(path, obj, content_type="application/apply-patch+yaml", query=query)
