"""Calls of every verb: they are even, each acts on an object that is there, and each write changes it."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from idcbench.kube.connection import Endpoint
from idcbench.measure.calls import Call, Composer
from idcbench.suites.performance.api_calls import MAKERS, even_plan, pods_call, sorts_of

EACH = 7


def test_each_sort_comes_equally_often_and_each_call_finds_its_object() -> None:
    sorts = [sort for maker in MAKERS for sort in sorts_of(maker("churn"), churned="churn", listed="list")]
    plan = even_plan(sorts, each=EACH, rate_per_s=50.0)
    assert plan.sorts is not None
    assert plan.numbers is not None
    assert Counter(plan.sorts.tolist()) == dict.fromkeys(range(14), EACH)
    assert len({call.name for call in plan.calls}) == 14
    for place, sort in enumerate(sorts):
        first = {"DELETE": EACH, "POST": 2 * EACH}.get(sort.verb, 0)  # there are 2 * EACH objects when it begins
        assert sorted(plan.numbers[plan.sorts == place]) == list(range(first, first + EACH))
    assert (np.diff(plan.planned_ns) >= 0).all()


def test_paths_have_the_scope_that_is_said() -> None:
    paths = {(s.verb, s.scope): s.call.path for s in sorts_of(pods_call("a"), churned="a", listed="b")}
    assert paths["LIST", "namespace"] == "/api/v1/namespaces/b/pods"
    assert paths["LIST", "cluster"] == "/api/v1/pods?fieldSelector=metadata.namespace%3Db"
    assert paths["POST", "resource"] == "/api/v1/namespaces/a/pods"
    assert paths["GET", "resource"] == paths["DELETE", "resource"] == "/api/v1/namespaces/a/pods/load-pod-{n}"


@pytest.mark.parametrize("maker", MAKERS)
def test_every_write_changes_the_object(maker: Callable[[str], Call]) -> None:
    create = maker("a")
    calls = {sort.verb: sort.call for sort in sorts_of(create, churned="a", listed="b")}
    made, put, patch = (json.loads(calls[verb].body) for verb in ("POST", "PUT", "PATCH"))
    assert put.get("spec") == made.get("spec")
    annotations = [one["metadata"].get("annotations", {}).get("example.com/touched") for one in (made, put, patch)]
    assert annotations == [None, "put-{n}", "patched"]


def test_a_patch_says_which_sort_it_is() -> None:
    endpoint = Endpoint(host="h", address=("127.0.0.1", 1), family=socket.AF_INET, tls=None)
    [patch] = [s.call for s in sorts_of(pods_call("a"), churned="a", listed="b") if s.verb == "PATCH"]
    head = Composer([patch], endpoint, {})(0, 3).partition(b"\r\n\r\n")[0]
    assert b"Content-Type: application/merge-patch+json" in head
    assert head.startswith(b"PATCH /api/v1/namespaces/a/pods/load-pod-0000000003 HTTP/1.1")
