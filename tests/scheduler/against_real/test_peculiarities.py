"""Peculiarities of kube-scheduler that random cases rarely meet, each on a cluster made for it."""

from __future__ import annotations

from typing import Any

import pytest
from against_real.engine_check import engine_differences
from against_real.oracle_check import oracle_differences
from against_real.reference import Answer, Reference
from cases import Case

from idcbench.scheduler.engine.engine import ClusterEngine

pytestmark = pytest.mark.integration

HOST = "kubernetes.io/hostname"
WEB = {"matchLabels": {"app": "web"}}


def node(name: str, **allocatable: str) -> dict[str, Any]:
    room = {"cpu": "4", "memory": "8Gi", "pods": "10"} | allocatable
    return {"metadata": {"name": name, "labels": {HOST: name}}, "status": {"allocatable": room}}


def pod(name: str, *, on: str = "", namespace: str = "default", priority: int = 0, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": name, "labels": {"app": "web"}}
    given = {"schedulerName": "default-scheduler", "priority": priority, "containers": [{"name": "c", "image": "i"}]}
    if on:
        given["nodeName"] = on
    status = {"phase": "Running", "startTime": "2026-01-01T00:00:00Z"} if on else {"phase": "Pending"}
    return {"metadata": metadata, "spec": given | spec, "status": status}


def asked(reference: Reference, new: dict[str, Any], *, engine: bool = True, **objects: Any) -> Answer:
    """The real answer, which the oracle gives too, and the ``engine`` if it is to."""
    case: Case = {"id": "made", "objects": objects, "pod": new, "preempt": True}
    ((_, answer),) = reference.answers([case])
    assert answer.error == ""
    assert oracle_differences(case, answer) == []
    if engine:
        assert engine_differences(ClusterEngine, case, answer) == []
    return answer


def avoiding() -> dict[str, Any]:
    term = {"topologyKey": HOST, "labelSelector": WEB}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_a_nominated_pods_anti_affinity_is_overlooked_where_no_running_pod_has_any(reference: Reference) -> None:
    held = pod("held", priority=5, affinity=avoiding())
    held["status"]["nominatedNodeName"] = "a"
    nodes = [node("a"), node("b")]
    assert asked(reference, pod("new"), nodes=nodes, pods=[held]).feasible == ("a", "b")
    elsewhere = pod("elsewhere", on="b", affinity=avoiding())
    assert asked(reference, pod("new"), nodes=nodes, pods=[held, elsewhere]).feasible == ()


def test_preemption_counts_a_pod_being_deleted_that_spreading_had_not_counted(reference: Reference) -> None:
    spread = {"maxSkew": 1, "topologyKey": HOST, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": WEB}
    leaving = pod("leaving", on="a")
    leaving["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    leaving["status"]["startTime"] = "2026-01-01T01:00:00Z"
    others = [pod("one", on="a"), leaving, pod("other", on="b", cpu="0")]
    others[2]["metadata"]["labels"] = {"app": "db"}
    new = pod("new", priority=10, topologySpreadConstraints=[spread])
    full = [node("a"), node("b", pods="1")]
    answer = asked(reference, new, nodes=full, pods=others)
    assert answer.preemption is not None
    assert set(answer.preemption.candidates) == {"a", "b"}


def test_a_claim_for_one_pod_is_freed_by_evicting_its_user_and_by_its_namesake(reference: Reference) -> None:
    def claim(namespace: str) -> dict[str, Any]:
        metadata = {"name": "only", "namespace": namespace, "annotations": {"pv.kubernetes.io/bind-completed": "yes"}}
        spec = {"accessModes": ["ReadWriteOncePod"], "volumeName": f"pv-{namespace}", "storageClassName": "now"}
        return {"metadata": metadata, "spec": spec, "status": {"phase": "Bound"}}

    uses = [{"name": "v", "persistentVolumeClaim": {"claimName": "only"}}]
    volumes = [{"metadata": {"name": f"pv-{each}"}, "spec": {}} for each in ("default", "shop")]
    claims = [claim("default"), claim("shop")]
    users = [pod("user", on="a", volumes=uses), pod("namesake", on="b", namespace="shop", volumes=uses)]
    answer = asked(
        reference,
        pod("new", priority=10, volumes=uses),
        engine=False,  # it spares the namesake, whose going would free nothing
        nodes=[node("a"), node("b"), node("c")],
        pods=[*users, pod("bystander", on="c")],
        persistentvolumes=volumes,
        persistentvolumeclaims=claims,
    )
    assert answer.feasible == ()
    assert answer.preemption is not None
    victims = {node: candidate.victims for node, candidate in answer.preemption.candidates.items()}
    assert victims == {"a": ("default/user",), "b": ("shop/namesake",)}
