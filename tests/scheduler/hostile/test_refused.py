"""What no real API server would send: the fake one does, and the scheduler goes on with everything else."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "service"), str(HERE.parents[1] / "kube")]

from fake_api import GONE, Refuse, Say  # noqa: E402
from running import running  # noqa: E402
from scheduler_api import PODS, SchedulerApi  # noqa: E402

from idcbench.scheduler.engine.engine import ClusterEngine  # noqa: E402

from .bad_objects import container  # noqa: E402

NODES = "/api/v1/nodes"
HUGE = 2**63
TEXTS = ("", "much", "1e3k", "-1", "1e400", str(HUGE), "0x10", "１", "1 ", "1e", "NaN", "Infinity", "1.2.3", "Ki")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[SchedulerApi]:
    with SchedulerApi(folder=tmp_path) as fake:
        fake.node("fine")
        yield fake


def spec(**fields: Any) -> dict[str, Any]:
    return {"schedulerName": "default-scheduler", "containers": [container()]} | fields


def affinity(kind: str, required: Any) -> dict[str, Any]:
    return spec(affinity={kind: {"requiredDuringSchedulingIgnoredDuringExecution": required}})


MATCH = {"matchExpressions": [{"key": "a", "operator": "NearlyIn", "values": ["x"]}]}
TERM = {"topologyKey": "a", "labelSelector": MATCH}
UNDERSTOOD = {
    **{f"quantity {text}": spec(containers=[container(cpu=text)]) for text in ("", "much", "1e3k", "-1", "１", "NaN")},
    "a number": spec(containers=[container() | {"resources": {"requests": {"cpu": 99999, "memory": 1.5}}}]),
    "a huge number": spec(containers=[container() | {"resources": {"requests": {"example.com/x": 10**30}}}]),
    "overhead": spec(overhead={"cpu": "-1"}),
    "operator": affinity("nodeAffinity", {"nodeSelectorTerms": [MATCH]}),
    "operator of pods": affinity("podAffinity", [TERM]),
    "operator against pods": affinity("podAntiAffinity", [TERM]),
    "node selector": spec(nodeSelector={"a b": "größe"}),
    "toleration": spec(tolerations=[{"key": "k", "operator": "Newer"}]),
    "effect": spec(tolerations=[{"operator": "Exists", "effect": "Newer"}]),
    "whenUnsatisfiable": spec(topologySpreadConstraints=[{"topologyKey": "a", "whenUnsatisfiable": "Newer"}]),
    "spread": spec(topologySpreadConstraints=[{
        "topologyKey": "a", "maxSkew": -HUGE, "whenUnsatisfiable": "DoNotSchedule", "minDomains": HUGE,
        "labelSelector": MATCH,
    }]),
    "policy": spec(preemptionPolicy="Newer"),
}  # fmt: skip
"""Pods that can be read, and never fit: an event tells why."""

UNREADABLE = {
    "a list": [],
    "a number for a text": spec(nodeName=5),
    "a text for a number": spec(priority="high"),
    "a fraction": spec(priority=1.5),
    "a list for a mapping": spec(nodeSelector=["a"]),
    "a mapping for a list": spec(containers={"name": "c"}),
    "nothing for a container": spec(containers=[None]),
    "nothing for a value": spec(nodeSelector={"a": None}),
}
"""Pods that cannot be read: a line of the log names them."""


@pytest.mark.parametrize("bad", UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
async def test_a_pod_that_can_be_read_is_told(api: SchedulerApi, bad: dict[str, Any]) -> None:
    api.put(f"{PODS}/bad", {"metadata": {}, "spec": bad, "status": {}})
    async with running(api, engine=ClusterEngine()):  # type: ignore[arg-type]
        api.pod("good")
        await api.until(lambda: all(api.nodes_of("good")) and api.events("FailedScheduling"))
    (event,) = api.events("FailedScheduling")
    assert event["regarding"]["name"] == "bad"
    assert api.nodes_of("bad") == [""]


@pytest.mark.parametrize("bad", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("listed", [True, False])
async def test_one_that_cannot_is_logged(
    api: SchedulerApi, caplog: pytest.LogCaptureFixture, bad: Any, *, listed: bool
) -> None:
    if listed:
        api.put(f"{PODS}/bad", {"metadata": {"generation": 1}, "spec": bad})
    async with running(api, engine=ClusterEngine()):  # type: ignore[arg-type]
        api.put(f"{PODS}/bad", {"metadata": {"generation": 2}, "spec": bad})
        api.pod("good")
        await api.until(lambda: all(api.nodes_of("good")))
        api.put(f"{PODS}/bad", {"metadata": {}, "spec": spec(), "status": {"phase": "Pending"}})
        await api.until(lambda: all(api.nodes_of("bad")))  # mended
    assert "/api/v1/pods: default/bad cannot be read" in caplog.text


ROOM = {"cpu": "4", "pods": "110"}


@pytest.mark.parametrize("amount", [*TEXTS, HUGE, -1, 1.5, None, [], {}])
async def test_a_node_s_amount_that_is_none(api: SchedulerApi, caplog: pytest.LogCaptureFixture, amount: Any) -> None:
    """Nothing that does not fit is put there; what cannot be read is logged with the node's name."""
    labels = {"only": "bad"}
    api.put(f"{NODES}/bad", {"metadata": {"labels": labels}, "status": {"allocatable": ROOM | {"memory": amount}}})
    api.pod("picky", nodeSelector=labels, containers=[container(memory="1Gi")])
    async with running(api, engine=ClusterEngine()):  # type: ignore[arg-type]
        api.pod("good", nodeSelector={})
        await api.until(lambda: all(api.nodes_of("good")))
        await api.until(lambda: all(api.nodes_of("picky")) or api.events("FailedScheduling"))
    if str(amount) in ("1e400", str(HUGE)):
        assert api.nodes_of("picky") == ["bad"]
        return
    assert api.nodes_of("picky") == [""]
    assert amount in ("-1", -1, 1.5) or "bad" in caplog.text


LINES = {
    "expired": GONE,
    "an error without an object": b'{"type":"ERROR"}\n',
    "an error that is null": b'{"type":"ERROR","object":null}\n',
    "an error of a newer API": b'{"type":"ERROR","object":{"code":"high","reason":5}}\n',
    "a server's error": b'{"type":"ERROR","object":{"code":500,"reason":"InternalError","message":"x"}}\n',
    "half a line": b'{"type":"ADDED","object":{"metadata":{"na\n',
    "no JSON": b"<html>\n",
    "no UTF-8": b'{"type":"ADDED","object":{"metadata":{"name":"\xff\xfe"}}}\n',
    "null": b"null\n",
    "no object": b'{"type":"ADDED"}\n',
    "no metadata": b'{"type":"ADDED","object":{}}\n',
    "null metadata": b'{"type":"ADDED","object":{"metadata":null}}\n',
    "an unknown type": b'{"type":"FROBBED","object":{"metadata":{"name":"x","uid":"x"}}}\n',
    "an unknown one is deleted": b'{"type":"DELETED","object":{"metadata":{"name":"x","uid":"x"}}}\n',
    "an unknown one changes": b'{"type":"MODIFIED","object":{"metadata":{"name":"x","uid":"x"}}}\n',
    "an old version": b'{"type":"MODIFIED","object":{"metadata":{"name":"fine","uid":"f","resourceVersion":"1"}}}\n',
    "a version that is none": b'{"type":"ADDED","object":{"metadata":{"name":"x","uid":"y","resourceVersion":"x"}}}\n',
    "too deep": b'{"type":"ADDED","object":{"metadata":{"name":"x"},"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}\n",
    "large": b'{"type":"ADDED","object":{"metadata":{"name":"l","namespace":"default","uid":"l","annotations":{"a":"'
    + b"x" * 1_500_000 + b'"}},"spec":{"schedulerName":"other"}}}\n',
}  # fmt: skip


@pytest.mark.parametrize("line", LINES.values(), ids=LINES.keys())
@pytest.mark.parametrize("path", ["/api/v1/pods", NODES])
async def test_a_line_of_a_watch_that_is_none(api: SchedulerApi, line: bytes, path: str) -> None:
    api.next(Say(line), path=path, watch=True)
    async with running(api, engine=ClusterEngine()):  # type: ignore[arg-type]
        await api.until(lambda: api.count(watch=True) >= 10)
        api.node("later", only="later")
        api.pod("good", nodeSelector={"only": "later"})
        await api.until(lambda: all(api.nodes_of("good")), within_s=20)


async def test_two_pods_of_one_uid(api: SchedulerApi) -> None:
    """They are told apart by nobody; what is bound is bound once, and the others are served."""
    for name in ("a", "b"):
        api.put(f"{PODS}/{name}", {"metadata": {"uid": "same"}, "spec": spec(), "status": {}})
    async with running(api, engine=ClusterEngine()):  # type: ignore[arg-type]
        api.pod("good")
        await api.until(lambda: all(api.nodes_of("good")))
    bound = [told["metadata"]["name"] for told in api.bindings()]
    assert len(bound) == len(set(bound))


async def test_a_list_that_is_none_ends_in_a_sentence(api: SchedulerApi) -> None:
    from idcbench.kube.apierror import ApiError

    api.next(Refuse(200, body=b"<html>sign in</html>"), path=NODES)
    with pytest.raises(ApiError, match=r"GET /api/v1/nodes: Garbled: this is no list"):
        async with running(api, engine=ClusterEngine()):  # type: ignore[arg-type]
            pass


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
