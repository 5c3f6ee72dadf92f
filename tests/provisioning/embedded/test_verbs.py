"""The verbs on a real cluster: each does what it says, and its opposite brings everything back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from idcbench.cluster import ComponentState, Link
from idcbench.errors import ClusterError, UsageError
from idcbench.kube.apierror import ApiError
from idcbench.kube.session import ApiSession
from idcbench.provisioning.embedded.cluster import EmbeddedCluster

from .conftest import until

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]


async def state_of(cluster: EmbeddedCluster, host: str, component: str) -> ComponentState:
    states = await cluster.faults.components()
    return next(one for one in states if (one.host, one.component) == (host, component))


async def answers(cluster: EmbeddedCluster, host: str) -> bool:
    url = next(url for url, one in zip(cluster.access.members, cluster.hosts, strict=True) if one.name == host)
    try:
        async with ApiSession(cluster.access, server=url, timeout_s=0.5, read_retries=0) as api:
            return await api.get("/readyz") == b"ok"
    except ApiError:
        return False


async def owners(cluster: EmbeddedCluster) -> list[str]:
    """The hosts that hold the virtual IP."""
    found = []
    for host in cluster.hosts:
        done = (await host.run("ip", "-json", "address", "show", "eth0")).check()
        if any(one["local"] == cluster.facts.virtual_ip for one in json.loads(done.stdout)[0]["addr_info"]):
            found.append(host.name)
    return found


async def test_everything_runs_and_one_host_holds_the_address(cluster: EmbeddedCluster) -> None:
    states = await cluster.faults.components()
    assert {one.state for one in states} == {"running"}
    assert len([one for one in states if one.component == "etcd"]) == 3
    assert len(await owners(cluster)) == 1


async def test_a_killed_component_comes_back_with_a_line_in_the_timeline(cluster: EmbeddedCluster) -> None:
    log = cluster.state.logs / "cp2" / "kube-scheduler.log"

    async def has_spoken() -> bool:
        return log.exists() and log.stat().st_size > 0

    await until(has_spoken)
    before, since_ns = await state_of(cluster, "cp2", "kube-scheduler"), time.monotonic_ns()
    await cluster.faults.kill("cp2", "kube-scheduler")

    async def runs_anew() -> bool:
        now = await state_of(cluster, "cp2", "kube-scheduler")
        return now.state == "running" and now.restarts == before.restarts + 1

    await until(runs_anew)
    lines = [one for one in await cluster.faults.happenings(since_ns=since_ns) if one.component == "kube-scheduler"]
    assert [(one.what, one.asked, one.exit_code) for one in lines] == [("exited", True, -9), ("started", True, None)]
    assert lines[0].last_lines


async def test_what_was_stopped_stays_down_until_it_is_started(cluster: EmbeddedCluster) -> None:
    await cluster.faults.stop("cp3", "kube-scheduler")
    assert (await state_of(cluster, "cp3", "kube-scheduler")).state == "stopped"
    with pytest.raises(UsageError, match="kube-scheduler on cp3 is stopped"):
        await cluster.faults.kill("cp3", "kube-scheduler")
    await cluster.faults.start("cp3", "kube-scheduler")
    assert (await state_of(cluster, "cp3", "kube-scheduler")).state == "running"


async def test_a_frozen_api_server_is_silent_and_answers_when_thawed(cluster: EmbeddedCluster) -> None:
    await cluster.faults.freeze("cp3", "kube-apiserver")
    try:
        assert not await answers(cluster, "cp3")
        assert (await state_of(cluster, "cp3", "kube-apiserver")).state == "frozen"
    finally:
        await cluster.faults.thaw("cp3", "kube-apiserver")
    await until(lambda: answers(cluster, "cp3"))


@pytest.mark.parametrize(("state", "carrier"), [("no-carrier", "0"), ("silent", "1")])
async def test_a_cut_link_loses_or_keeps_its_carrier(cluster: EmbeddedCluster, state: Link, carrier: str) -> None:
    host = cluster.hosts[2]
    await cluster.faults.link(host.name, state)
    try:
        shown = (await host.run("ip", "-json", "link", "show", "eth0")).check().stdout
        assert ("NO-CARRIER" in shown) == (carrier == "0")
        assert not await answers(cluster, host.name)
    finally:
        await cluster.faults.link(host.name, "up")
    await until(lambda: answers(cluster, host.name))
    await until(lambda: one_owner(cluster))


async def test_a_link_may_go_from_any_state_to_any_other_at_once(cluster: EmbeddedCluster) -> None:
    states: list[Link] = ["no-carrier", "up", "silent", "no-carrier", "silent", "up", "no-carrier", "up"]
    for state in states * 3:
        await cluster.faults.link("cp2", state)
    await until(lambda: answers(cluster, "cp2"))
    await until(lambda: one_owner(cluster))


async def one_owner(cluster: EmbeddedCluster) -> bool:
    return len(await owners(cluster)) == 1


async def test_a_stopped_host_is_dark_and_comes_back_whole(cluster: EmbeddedCluster) -> None:
    await cluster.faults.stop_host("cp1")
    try:
        states = [one for one in await cluster.faults.components() if one.host == "cp1"]
        assert {one.state for one in states} == {"stopped"}
        async with ApiSession(cluster.access, timeout_s=2) as api:

            async def endpoint_answers() -> bool:
                try:
                    return await api.get("/readyz") == b"ok"
                except ApiError:
                    return False

            await until(endpoint_answers)
    finally:
        await cluster.faults.start_host("cp1")

    async def whole() -> bool:
        states = [one for one in await cluster.faults.components() if one.host == "cp1"]
        return {one.state for one in states} == {"running"} and await answers(cluster, "cp1")

    await until(whole)
    await until(lambda: one_owner(cluster))


async def test_a_limited_link_is_slow(cluster: EmbeddedCluster) -> None:
    host = cluster.hosts[1]
    await cluster.faults.limit(host.name, 8_000_000)
    try:
        shown = (await host.run("tc", "qdisc", "show", "dev", "eth0")).check().stdout
        assert "tbf" in shown
        assert "8Mbit" in shown
    finally:
        await cluster.faults.limit(host.name, None)
    assert "tbf" not in (await host.run("tc", "qdisc", "show", "dev", "eth0")).check().stdout


async def test_a_frozen_host_thaws(cluster: EmbeddedCluster) -> None:
    await cluster.faults.freeze_host("cp2")
    try:
        assert {one.state for one in await cluster.faults.components() if one.host == "cp2"} == {"frozen"}
    finally:
        await cluster.faults.thaw_host("cp2")
    await until(lambda: answers(cluster, "cp2"))


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda faults: faults.kill("cp9", "etcd"), "no 'etcd' on 'cp9'"),
        (lambda faults: faults.stop("cp1", "kubelet"), "no 'kubelet' on 'cp1'; there are"),
        (lambda faults: faults.link("cp9", "up"), "no host 'cp9' in this cluster; its hosts are cp1, cp2, cp3"),
    ],
)
async def test_an_unknown_name_is_told(cluster: EmbeddedCluster, act: Callable[..., object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        await act(cluster.faults)  # type: ignore[misc]


async def test_a_command_on_a_host_runs_there_and_ends_in_time(cluster: EmbeddedCluster) -> None:
    host = cluster.hosts[0]
    assert (await host.run("hostname")).stdout == "cp1\n"
    assert (await host.run("sh", "-c", "echo no >&2; exit 3")).exit_code == 3
    with pytest.raises(TimeoutError):
        await host.run("sleep", "30", timeout_s=0.2)


async def test_the_gateway_is_restarted_when_it_is_killed(cluster: EmbeddedCluster) -> None:
    await cluster.faults.kill("clients", "gateway")

    async def reached() -> bool:
        try:
            async with ApiSession(cluster.access, timeout_s=1, read_retries=0) as api:
                return await api.get("/readyz") == b"ok"
        except (ApiError, ClusterError, OSError):
            return False

    await until(reached)
