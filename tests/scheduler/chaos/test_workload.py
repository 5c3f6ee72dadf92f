"""The workload has exactly the room that it needs, of every sort."""

from __future__ import annotations

from collections import Counter

import pytest

from idcbench.scheduler.bench.templates import HOSTNAME, ZONE
from idcbench.scheduler.chaos.workload import LEAST_PODS, POOL, ZONES, is_scarce, workload


@pytest.mark.parametrize(("pods", "seed"), [(LEAST_PODS, 1), (777, 2), (20_000, 3)])
def test_each_pool_has_room_for_its_pods_and_none_more(pods: int, seed: int) -> None:
    made = workload(pods, seed=seed)
    assert made.pods == pods
    wanted = Counter(pod["spec"]["nodeSelector"][POOL] for unit in made.units for pod in unit)
    room: Counter[str] = Counter()
    for node in (*made.nodes, *made.late_nodes):
        count = int(node["status"]["allocatable"]["pods"])
        assert node["status"]["allocatable"]["cpu"] == f"{count * 100}m"
        room[node["metadata"]["labels"][POOL]] += count
    assert room == wanted
    names = [node["metadata"]["labels"][HOSTNAME] for node in (*made.nodes, *made.late_nodes)]
    assert len(set(names)) == len(names)


def test_pods_that_keep_apart_are_as_many_as_their_nodes_and_zones_are_alike() -> None:
    made = workload(20_000, seed=1)
    nodes = [node for node in made.nodes if node["metadata"]["labels"][POOL] == "apart"]
    groups = Counter(pod["metadata"]["labels"].get("apart") for unit in made.units for pod in unit)
    del groups[None]
    assert set(groups.values()) == {len(nodes)}
    assert {node["status"]["allocatable"]["pods"] for node in nodes} == {str(len(groups))}
    zones: Counter[str] = Counter()
    for node in made.nodes:
        if zone := node["metadata"]["labels"].get(ZONE):
            zones[zone] += int(node["status"]["allocatable"]["pods"])
    assert set(zones) == set(ZONES)
    assert len(set(zones.values())) == 1


def test_gangs_are_of_ten_to_fifty_and_come_in_one_part() -> None:
    made = workload(5000, seed=1)
    parts = made.parts(20)
    assert sum(len(part) for part in parts) == 5000
    assert max(abs(len(part) - 250) for part in parts) <= 60
    where: dict[str, set[int]] = {}
    for number, part in enumerate(parts):
        for pod in part:
            if gang := pod["metadata"]["labels"].get("idcbench.io/gang"):
                where.setdefault(gang, set()).add(number)
    assert where.keys() == made.gangs.keys()
    assert all(len(each) == 1 for each in where.values())
    assert all(10 <= size < 60 for size in made.gangs.values())


def test_a_seed_gives_the_same_again_and_too_few_pods_are_refused() -> None:
    assert workload(500, seed=7) == workload(500, seed=7)
    assert workload(500, seed=7).units != workload(500, seed=8).units
    assert any(is_scarce(pod) for unit in workload(LEAST_PODS, seed=1).units for pod in unit)
    with pytest.raises(ValueError, match="wanted at least 300 pods"):
        workload(100, seed=1)
