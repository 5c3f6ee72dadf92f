"""The image in a real cluster, as a pod of the Deployment runs it: its arguments, its service account, its lock-down.

Kubelets of real hosts are wanted to run the Deployment itself; here the same container is made of namespaces.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from locked_container import command, forbidding
from oci_layout import Layout
from workload import Workload

from idcbench.cluster import ClusterSpec
from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession
from idcbench.provisioning.controlplane.endpoint import API_PORT
from idcbench.provisioning.embedded.cluster import EmbeddedCluster
from idcbench.provisioning.embedded.target import EmbeddedTarget
from idcbench.scheduler.deploy.manifests import PORT, Deployed, manifests
from idcbench.scheduler.deploy.roles import NAME, cluster_rules, lease_rules

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]

ACCOUNTS = "/api/v1/namespaces/kube-system/serviceaccounts"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{NAME}"
READER = "scraper"
WHO = f"system:serviceaccount:kube-system:{NAME}"
POLICY = f"""apiVersion: audit.k8s.io/v1
kind: Policy
# All that the scheduler asks for, reads and leases too.
omitStages: [RequestReceived]
rules:
- {{level: Metadata, users: ["{WHO}"]}}
- {{level: None}}
"""
PLURALS = {
    "ServiceAccount": "serviceaccounts", "ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles", "RoleBinding": "rolebindings", "PodDisruptionBudget": "poddisruptionbudgets",
}  # fmt: skip


@dataclass
class Running:
    """The container in the cluster. ``read`` asks it over HTTPS, from its host."""

    cluster: EmbeddedCluster
    process: subprocess.Popen[bytes]
    log: Path

    async def read(self, path: str, *, token: str = "") -> tuple[int, str]:
        (host,) = self.cluster.hosts
        url = f"https://{host.address}:{PORT}{path}"
        bearer = ("-H", f"Authorization: Bearer {token}") if token else ()
        done = await host.run("curl", "-sk", "-w", "\n%{http_code}", *bearer, url)
        body, _, code = done.stdout.rpartition("\n")
        return int(code or 0), body

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        """What the scheduler asked of the API server, as that one wrote down."""
        audit = self.cluster.state.logs / self.cluster.hosts[0].name / "audit.log"
        found = [json.loads(line) for line in audit.read_text().splitlines()]
        return [each for each in found if each["user"]["username"] == WHO]

    def used(self) -> set[tuple[str, str, str]]:
        """Verb, group and resource of each of them."""
        return {used(each) for each in self.requests() if "objectRef" in each}


UNSERVED = {("watch", "scheduling.k8s.io", "podgroups")}
RENEWED_S = 30.0
"""By then a lease was renewed, on a busy machine too."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(layout: Layout, root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The scheduler after its workload."""
    folder = tmp_path_factory.mktemp("running")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        spec = ClusterSpec(control_planes=1, nodes=3, profile="fast")
        async with EmbeddedTarget(name=f"image-{os.getpid()}").cluster(spec, keep=False) as cluster:
            await audit_all(cluster)
            async with ApiSession(cluster.access) as api:
                workload = Workload(api, Deployed(image="x").scheduler_name)
                await workload.prepare()
                arguments = await deploy(api)
                give_account(root, cluster, await token(api, NAME))
                process = start(layout, root, cluster, arguments, log=folder / "log")
                found = Running(cluster, process, folder / "log")
                try:
                    await workload.until(lambda: is_ready(found))
                    await workload.run()
                    await let_read(api)
                    assert (await found.read("/debug/explain/default/huge", token=await token(api, READER)))[0] == 200
                    yield found
                finally:
                    process.kill()
                    process.wait()


async def audit_all(cluster: EmbeddedCluster) -> None:
    """Have the API server write down all that the scheduler will ask."""
    (host,) = cluster.hosts
    (cluster.state.host(host.name) / "etc" / "audit-policy.yaml").write_text(POLICY)
    await cluster.faults.restart(host.name, "kube-apiserver")
    async with asyncio.timeout(60), ApiSession(cluster.access, read_retries=0) as api:
        while True:
            try:
                await api.get("/readyz")
                return
            except ApiError:
                await asyncio.sleep(0.1)


async def deploy(api: ApiSession) -> list[str]:
    """Apply the manifests but for the pods; what their container is started with."""
    *objects, deployment = manifests(Deployed(image="x"))
    for obj in objects:
        meta, version = obj["metadata"], obj["apiVersion"]
        base = "/api/v1" if version == "v1" else f"/apis/{version}"
        within = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
        path = f"{base}{within}/{PLURALS[obj['kind']]}/{meta['name']}"
        await api.patch(path, obj, content_type="application/apply-patch+yaml", query={"fieldManager": "t"})
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return list(container["args"])


async def token(api: ApiSession, account: str) -> str:
    asked = {"spec": {"expirationSeconds": 3600}}
    return str(json.loads(await api.post(f"{ACCOUNTS}/{account}/token", asked))["status"]["token"])


async def let_read(api: ApiSession) -> None:
    """An account with the role for those who scrape and ask."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"{NAME}-reader"}
    subjects = [{"kind": "ServiceAccount", "name": READER, "namespace": "kube-system"}]
    await api.post(ACCOUNTS, {"metadata": {"name": READER}})
    binding = {"metadata": {"name": READER}, "roleRef": role, "subjects": subjects}
    await api.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)


def give_account(root: Path, cluster: EmbeddedCluster, bearer: str) -> None:
    """The volume that kubelet mounts."""
    folder = root / "var/run/secrets/kubernetes.io/serviceaccount"
    (folder / "token").write_text(bearer)
    (folder / "namespace").write_text("kube-system")
    (folder / "ca.crt").write_bytes((cluster.state.pki / "ca.crt").read_bytes())


def start(
    layout: Layout, root: Path, cluster: EmbeddedCluster, arguments: list[str], *, log: Path
) -> subprocess.Popen[bytes]:
    """On another processor than the kernels were compiled on, with the compiler forbidden."""
    (host,) = cluster.hosts
    config = layout.config["config"]
    reached = {"KUBERNETES_SERVICE_HOST": host.address, "KUBERNETES_SERVICE_PORT": str(API_PORT)}
    argv = command(root, config["User"], [*forbidding(config["Entrypoint"]), *arguments], host=host)
    with log.open("wb") as output:
        return subprocess.Popen(
            argv, env=layout.environment | reached, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


async def is_ready(running: Running) -> bool:
    assert running.process.poll() is None, running.log.read_text()
    return (await running.read("/readyz"))[0] == 200


async def test_it_schedules_without_a_compiler(running: Running) -> None:
    """That it did all of the workload says the fixture; that nothing was compiled meanwhile, its own log."""
    said = {line["msg"].partition(" after ")[0]: line for line in running.said()}
    assert said["kernels are ready"]["compiled"] == 0
    assert "kernel compiled because it was not in the cache" not in said
    assert [line for line in running.said() if line["level"] == "error"] == []


async def test_nothing_was_forbidden(running: Running) -> None:
    refused = [each for each in running.requests() if each["responseStatus"].get("code") in (401, 403)]
    assert refused == []


async def test_nothing_is_granted_in_vain(running: Running) -> None:
    """Least privilege: each verb on each resource was used, but for what this cluster does not serve."""
    granted = {
        (verb, group, resource)
        for rule in [*cluster_rules(), *lease_rules(NAME)]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    until_s = time.monotonic() + RENEWED_S
    while (unused := granted - running.used()) != UNSERVED and time.monotonic() < until_s:
        await asyncio.sleep(0.2)
    assert unused == UNSERVED


async def test_only_readers_may_scrape(running: Running) -> None:
    async with ApiSession(running.cluster.access) as api:
        code, text = await running.read("/metrics", token=await token(api, READER))
        assert code == 200
        assert "idcbench_scheduler_compile_misses_total 0.0" in text
        assert (await running.read("/metrics", token=await token(api, "default")))[0] == 403


async def test_it_ends_in_good_order(running: Running) -> None:
    """SIGTERM: the lease is given up, and nothing that it did then was forbidden either."""
    async with ApiSession(running.cluster.access) as api:
        assert json.loads(await api.get(LEASE))["spec"]["holderIdentity"]
        running.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(running.process.wait, 30) == 0
        assert not json.loads(await api.get(LEASE))["spec"].get("holderIdentity")
    await test_nothing_was_forbidden(running)


def used(request: dict[str, Any]) -> tuple[str, str, str]:
    """Verb, group and resource, as a rule has them."""
    about = request["objectRef"]
    part = f"/{about['subresource']}" if "subresource" in about else ""
    return request["verb"], about.get("apiGroup", ""), about["resource"] + part
