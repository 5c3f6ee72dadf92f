"""How soon a new kind can be used, what it costs beside a built-in one, and what server-side apply costs."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from idcbench.kube.apierror import ApiError
from idcbench.kube.crud import APPLY, Client
from idcbench.kube.objects import Condition, ObjectMeta
from idcbench.kube.session import ApiSession
from idcbench.kube.watch import watch
from idcbench.measure.calls import Call
from idcbench.measure.loader import LoadResult, run_load
from idcbench.measure.real_calls import create_config_map
from idcbench.plugin.live import LiveCluster
from idcbench.plugin.record import Record
from idcbench.progress import Progress
from idcbench.runs.directory import Run

from .api_calls import TOUCHED, Sort, even_plan, make, sorts_of
from .ground import own_namespaces
from .load_quality import keep_quality
from .settings_kind import CRDS, as_setting, crd_name, definition
from .sizes import scaled

pytestmark = pytest.mark.idc_measuring
KINDS = 20
EACH, RATE_PER_S = 600, 100.0
LISTED = 50
BESIDE = (("GET", "resource"), ("LIST", "namespace"), ("POST", "resource"))
TRY_EVERY_S = 0.005
LIMIT_S, FILL_LIMIT_S = 60.0, 600.0


class _Status(msgspec.Struct, frozen=True):
    conditions: tuple[Condition, ...] | None = None


class _Definition(msgspec.Struct, frozen=True):
    metadata: ObjectMeta = ObjectMeta()
    status: _Status = _Status()


@pytest.fixture(scope="module")
def grounds(idc_client: Client) -> Iterator[list[str]]:
    """Three namespaces for all tests of this file: each removal of one takes seconds that measure nothing."""
    with own_namespaces(idc_client, 3) as names:
        yield names


def test_new_kind(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress,
    grounds: list[str],
) -> None:  # fmt: skip
    """Kinds are defined one after the other; each is established, and takes its first object."""
    count = scaled(KINDS, idc_scale, least=2)
    namespace = grounds[0]
    for turn in range(count):
        idc_progress("kinds are defined", done=turn, total=count, unit="kinds")
        group = _group()
        try:
            times = idc_cluster.portal.call(_introduce(idc_cluster, group, namespace), timeout_s=LIMIT_S)
        finally:
            idc_client.delete("CustomResourceDefinition", crd_name(group), missing_ok=True)
        for step, value_ms in times.items():
            idc_record.run.series(
                f"custom_resource.{step}", unit="ms", better="lower", labels={"kinds": str(count)},
                definition=f"from the request that creates a CustomResourceDefinition until it is {STEPS[step]}",
            ).add(value_ms)  # fmt: skip


STEPS = {
    "established": "said to be established, by a watch that begins when the request was answered",
    "first_object": f"established and an object of it was created; tried every {TRY_EVERY_S * 1000:g} ms",
}


async def _introduce(cluster: LiveCluster, group: str, namespace: str) -> dict[str, float]:
    """Define the kind and create an object of it; ms from the beginning to each of :data:`STEPS`."""
    async with ApiSession(cluster.access) as api:
        begun_ns = time.monotonic_ns()
        await api.post(CRDS, definition(group))
        established_ns = await _established(api, crd_name(group))
        call = as_setting(create_config_map(namespace), group)
        await _first(api, call.path, msgspec.json.decode(call.body.replace("{n}", "first")))
        first_ns = time.monotonic_ns()
    return {"established": (established_ns - begun_ns) / 1e6, "first_object": (first_ns - begun_ns) / 1e6}


async def _established(api: ApiSession, name: str) -> int:
    """When it was heard of."""
    events = watch(api, _Definition, CRDS, query={"fieldSelector": f"metadata.name={name}"})
    async with contextlib.aclosing(events):
        async for event in events:
            conditions = event.object.status.conditions or ()
            if any(one.type == "Established" and one.status == "True" for one in conditions):
                return event.received_ns
    raise AssertionError("a watch goes on for ever")


async def _first(api: ApiSession, path: str, made: dict[str, Any]) -> None:
    """Create it as soon as the server knows the kind; until then it says 404."""
    while True:
        try:
            await api.post(path, made)
            return
        except ApiError as error:
            if error.status != 404:
                raise
        await asyncio.sleep(TRY_EVERY_S)


def test_custom_beside_built_in(
    idc_cluster: LiveCluster, idc_client: Client, idc_record: Record, idc_scale: float, idc_progress: Progress,
    grounds: list[str],
) -> None:  # fmt: skip
    """Custom resources and ConfigMaps of equal size are read, listed and created in one load."""
    each = scaled(EACH, idc_scale, least=5)
    churned, listed, _ = grounds
    with _kind(idc_cluster, idc_client, churned) as group:
        sorts: list[Sort] = []
        for custom in (False, True):
            there, create = create_config_map(listed), create_config_map(churned)
            if custom:
                there, create = as_setting(there, group), as_setting(create, group)
            idc_cluster.portal.call(make(idc_cluster.access, there, range(LISTED)), timeout_s=FILL_LIMIT_S)
            idc_cluster.portal.call(make(idc_cluster.access, create, range(each)), timeout_s=FILL_LIMIT_S)
            every = sorts_of(create, churned=churned, listed=listed)
            sorts += [sort for sort in every if (sort.verb, sort.scope) in BESIDE]
        load = _send(idc_cluster, sorts, each, idc_progress)
    keep_quality(idc_record.run, load, of="custom resources")
    _keep(idc_record.run, "custom_resource.latency", sorts, load, each)


def test_server_side_apply(
    idc_cluster: LiveCluster, idc_record: Record, idc_scale: float, idc_progress: Progress, grounds: list[str]
) -> None:
    """ConfigMaps are changed in three ways in one load: applied, put and patched."""
    each = scaled(EACH, idc_scale, least=5)
    namespace = grounds[2]
    create = create_config_map(namespace)
    idc_cluster.portal.call(make(idc_cluster.access, create, range(3 * each)), timeout_s=FILL_LIMIT_S)
    every = {sort.verb: sort.call for sort in sorts_of(create, churned=namespace, listed=namespace)}
    calls = {"PUT": every["PUT"], "PATCH": every["PATCH"], "APPLY": _apply(every["PUT"])}
    sorts = [
        Sort(verb=verb, resource="configmaps", scope="resource", call=call, block=block)
        for block, (verb, call) in enumerate(calls.items())
    ]
    load = _send(idc_cluster, sorts, each, idc_progress)
    keep_quality(idc_record.run, load, of="server-side apply")
    _keep(idc_record.run, "apply.latency", sorts, load, each)


def _apply(put: Call) -> Call:
    """The same object, applied by a manager that takes over what others own."""
    return Call(
        name="APPLY configmaps resource", method="PATCH", path=f"{put.path}?fieldManager={TOUCHED.rpartition('/')[2]}"
        "&force=true", body=put.body, content_type=APPLY,
    )  # fmt: skip


@contextlib.contextmanager
def _kind(cluster: LiveCluster, client: Client, namespace: str) -> Iterator[str]:
    """A kind of our own that is served; gone when the block is left."""
    group = _group()
    try:
        cluster.portal.call(_introduce(cluster, group, namespace), timeout_s=LIMIT_S)
        yield group
    finally:
        client.delete("CustomResourceDefinition", crd_name(group), missing_ok=True)
        client.wait_gone("CustomResourceDefinition", crd_name(group))


def _group() -> str:
    return f"perf-{secrets.token_hex(3)}.example.com"


def _send(cluster: LiveCluster, sorts: Sequence[Sort], each: int, progress: Progress) -> LoadResult:
    plan = even_plan(sorts, each=each, rate_per_s=RATE_PER_S)
    progress("calls are sent", total=plan.duration_s, unit="s")
    return run_load(cluster.access, plan)


def _keep(run: Run, metric: str, sorts: Sequence[Sort], load: LoadResult, each: int) -> None:
    for sort in sorts:
        labels = sort.labels | {"rate": f"{RATE_PER_S:g}", "each": str(each)}
        run.series(
            metric, unit="ms", better="lower", labels=labels,
            definition="from the planned start of a call to its whole answer, in a Poisson load of all sorts at once",
        ).add_many(load.latency_ms(sort.call.name), load.of(sort.call.name)["completed_ns"].tolist())  # fmt: skip
