from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from idcbench.scheduler.objects import Pod
from idcbench.scheduler.requests import host_ports, is_counted, nonzero_requests, pod_requests

MI = 2**20


def pod(**spec: Any) -> Pod:
    status = spec.pop("status", {})
    body = {"metadata": {"name": "p", "namespace": "ns"}, "spec": spec, "status": status}
    return msgspec.convert(body, Pod)


def container(name: str = "c", **requests: Any) -> dict[str, Any]:
    return {"name": name, "resources": {"requests": {k.replace("_", "-"): v for k, v in requests.items()}}}


def sidecar(name: str = "s", **requests: Any) -> dict[str, Any]:
    return {**container(name, **requests), "restartPolicy": "Always"}


def holding(name: str = "c", *, allocated: str | None = None, actual: str | None = None) -> dict[str, Any]:
    status: dict[str, Any] = {"name": name}
    if allocated:
        status["allocatedResources"] = {"cpu": allocated}
    if actual:
        status["resources"] = {"requests": {"cpu": actual}}
    return status


def resize(reason: str) -> list[dict[str, str]]:
    return [{"type": "PodResizePending", "status": "True", "reason": reason}]


@pytest.mark.parametrize(
    ("spec", "asked"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"containers": [container(cpu="0", memory="0Gi")]}, {}, id="zero is nothing"),
        pytest.param(
            {"containers": [container(cpu="100m", memory="1Mi"), container("d", cpu="1.5", ephemeral_storage="1k")]},
            {"cpu": 1600, "memory": MI, "ephemeral-storage": 1000},
            id="containers add up",
        ),
        pytest.param(
            {"containers": [container(memory="100m"), container("d", memory="100m")]},
            {"memory": 1},
            id="rounded once, at the end",
        ),
        pytest.param(
            {"containers": [container(cpu="2500u"), container("d", cpu="1500u")]}, {"cpu": 4}, id="finer than a milli"
        ),
        pytest.param({"containers": [container(memory="10Pi")]}, {"memory": 10 * 2**50}, id="large"),
        pytest.param({"containers": [container(cpu=2, memory=1e3)]}, {"cpu": 2000, "memory": 1000}, id="numbers"),
        pytest.param(
            {"containers": [container(cpu="1")], "initContainers": [container("i", cpu="3"), container("j", cpu="2")]},
            {"cpu": 3000},
            id="the greediest init container",
        ),
        pytest.param(
            {"containers": [container(cpu="1")], "initContainers": [sidecar(cpu="500m"), container("i", cpu="2")]},
            {"cpu": 2500},
            id="an init container beside an earlier sidecar",
        ),
        pytest.param(
            {"containers": [container(cpu="1")], "initContainers": [container("i", cpu="2"), sidecar(cpu="1500m")]},
            {"cpu": 2500},
            id="a later sidecar is not beside it",
        ),
        pytest.param(
            {
                "containers": [container(cpu="1")],
                "initContainers": [sidecar("a", cpu="1"), sidecar("b", cpu="2"), container("i", cpu="1")],
            },
            {"cpu": 4000},
            id="sidecars accumulate",
        ),
        pytest.param(
            {"containers": [container(cpu="1")], "overhead": {"cpu": "250m", "memory": "1Mi"}},
            {"cpu": 1250, "memory": MI},
            id="overhead",
        ),
        pytest.param(
            {
                "containers": [container(cpu="1", memory="1Mi")],
                "resources": {"requests": {"cpu": "3"}},
                "overhead": {"cpu": "1"},
            },
            {"cpu": 4000, "memory": MI},
            id="the pod's own request stands for its containers'",
        ),
        pytest.param(
            {"containers": [container(cpu="1")], "resources": {"requests": {"example.com/gpu": "3"}}},
            {"cpu": 1000},
            id="what a pod as a whole cannot ask for",
        ),
        pytest.param(
            {"containers": [{"name": "c", "resources": {"requests": {"example.com/gpu": "2", "storage": "5"}}}]},
            {"example.com/gpu": 2},
            id="only what nodes have",
        ),
    ],
)
def test_requests_of_a_pending_pod(spec: dict[str, Any], asked: dict[str, int]) -> None:
    assert pod_requests(pod(**spec)) == asked


@pytest.mark.parametrize(
    ("status", "cpu"),
    [
        pytest.param({"containerStatuses": [holding(allocated="1", actual="1")]}, 2000, id="asked is more"),
        pytest.param({"containerStatuses": [holding(allocated="3", actual="1")]}, 3000, id="allocated is more"),
        pytest.param({"containerStatuses": [holding(allocated="1", actual="4")]}, 4000, id="in use is more"),
        pytest.param(
            {"containerStatuses": [holding(allocated="1", actual="1")], "conditions": resize("Infeasible")},
            1000,
            id="an infeasible resize",
        ),
        pytest.param(
            {"containerStatuses": [holding(allocated="1", actual="1")], "conditions": resize("Deferred")},
            2000,
            id="a deferred resize",
        ),
        pytest.param({"containerStatuses": [holding("other", allocated="9")]}, 2000, id="another container's"),
        pytest.param(
            {
                "containerStatuses": [holding(allocated="9")],
                "allocatedResources": {"cpu": "3"},
                "resources": {"requests": {"cpu": "1"}},
            },
            3000,
            id="the sums of the pod stand for its containers'",
        ),
        pytest.param({"conditions": resize("Infeasible")}, None, id="infeasible and nothing known"),
    ],
)
def test_a_bound_pod_holds_the_larger(status: dict[str, Any], cpu: int | None) -> None:
    bound = pod(nodeName="n", containers=[container(cpu="2")], status=status)
    assert pod_requests(bound).get("cpu") == cpu


def test_what_a_pending_pod_reports_does_not_count() -> None:
    pending = pod(containers=[container(cpu="2")], status={"containerStatuses": [holding(allocated="9")]})
    assert pod_requests(pending) == {"cpu": 2000}


def test_a_resized_pod_level_request() -> None:
    status = {"allocatedResources": {"cpu": "3"}, "resources": {"requests": {"cpu": "4"}}}
    bound = pod(nodeName="n", containers=[container()], resources={"requests": {"cpu": "2"}}, status=status)
    assert pod_requests(bound) == {"cpu": 4000}


@pytest.mark.parametrize(
    ("spec", "filled"),
    [
        ({"containers": [container()]}, (100, 200 * MI)),
        ({"containers": [container(cpu="0", memory="1Mi"), container("d")]}, (100, 201 * MI)),
        ({"containers": [container()], "initContainers": [sidecar()]}, (200, 400 * MI)),
        ({"containers": [container()], "overhead": {"cpu": "1"}}, (1100, 200 * MI)),
        ({"containers": [container(), container("d")], "resources": {"requests": {"cpu": "1"}}}, (1000, 400 * MI)),
        (
            {"containers": [container(memory="1Mi"), container("d")], "resources": {"requests": {"cpu": "1"}}},
            (1000, MI),
        ),
    ],
)
def test_what_is_not_asked_for_counts_a_little_in_scores(spec: dict[str, Any], filled: tuple[int, int]) -> None:
    assert nonzero_requests(pod(**spec)) == filled


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (
            {"containers": [container(), container("d", cpu="1e3k")]},
            r"spec\.containers\[1\]\.resources.*\[cpu\]: '1e3k'",
        ),
        ({"initContainers": [container(memory="-1")]}, r"spec\.initContainers\[0\].*\[memory\]: '-1' is negative"),
        ({"overhead": {"cpu": "x"}}, r"spec\.overhead\[cpu\]"),
        ({"resources": {"requests": {"cpu": "nan"}}}, r"spec\.resources\.requests\[cpu\]"),
        (
            {"nodeName": "n", "containers": [container()], "status": {"containerStatuses": [holding(allocated="?")]}},
            "container c: allocatedResources",
        ),
    ],
)
def test_a_bad_quantity_names_pod_and_field(spec: dict[str, Any], words: str) -> None:
    for ask in (pod_requests, nonzero_requests):
        with pytest.raises(ValueError, match=words) as caught:
            ask(pod(**spec))
        assert str(caught.value).startswith("pod ns/p: ")


def test_host_ports_of_what_stays() -> None:
    port = {"hostPort": 80, "containerPort": 8080}
    udp = {"hostPort": 53, "protocol": "UDP", "hostIP": "127.0.0.1"}
    asks = pod(
        containers=[{"name": "c", "ports": [port, {"containerPort": 1}]}],
        initContainers=[
            {"name": "i", "ports": [{"hostPort": 1}]},
            {"name": "s", "restartPolicy": "Always", "ports": [udp]},
        ],
    )
    assert host_ports(asks) == (("UDP", "127.0.0.1", 53), ("TCP", "0.0.0.0", 80))
    assert host_ports(pod()) == ()


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("cpu", True),
        ("hugepages-2Mi", True),
        ("attachable-volumes-csi-x", True),
        ("kubernetes.io/batch", True),
        ("example.com/gpu", True),
        ("pods", False),
        ("storage", False),
        ("requests.example.com/gpu", False),
    ],
)
def test_what_a_node_has_to_have_room_for(name: str, counted: bool) -> None:
    assert is_counted(name) is counted


def test_agrees_with_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    from cases import make_case
    from oracle import requests as oracle

    for seed in range(60):
        case = make_case(Random(seed), str(seed), {"resize", "resources", "crowded"})
        for body in (case["pod"], *case["objects"]["pods"]):
            each = msgspec.convert(body, Pod)
            bound = bool(each.spec.node_name)
            taken = oracle.taken(each) if bound else oracle.pod_requests(each, status=False)
            wanted = {name: oracle.units(name, amount) for name, amount in taken.items() if amount and is_counted(name)}
            assert pod_requests(each) == wanted, each.key
            if bound:
                filled = oracle.taken_nonzero(each)
                units = tuple(oracle.units(name, filled.get(name, Fraction(0))) for name in ("cpu", "memory"))
                assert nonzero_requests(each) == units, each.key
