"""The tables say what was measured, against what, and at which scale."""

from __future__ import annotations

import msgspec
import pytest

from idcbench.scheduler.bench.ceiling import with_rounds
from idcbench.scheduler.bench.outcome import Arrival, Ceiling, Measured, Round, Step
from idcbench.scheduler.bench.table import ratios, rendered

ARENA = "kube-apiserver 1.37.2"


def done(scheduler: str, pair: int, rate: float, *, cpu: float = 4.0) -> Round:
    return Round(
        row="basic-500", arena=ARENA, scheduler=scheduler, pair=pair, pods=100, bound=100, wall_s=100 / rate, rate=rate,
        kube_average=rate + 1, startup_s=0.5, startup_cpu_s=0.2, cpu_ms_per_pod=cpu, peak_memory_bytes=2**27,
        events_written=101, events_missing=pair, scheduled_late_s=0.25, wait_p50_ms=10.0, wait_p99_ms=20.0, decay=None,
        cores={"others": 0.125},
    )  # fmt: skip


def measured(scale: float = 1.0) -> Measured:
    step = Step(connections=8, pods=100, rate=400.0, cores={"client": 0.5})
    return Measured(
        scale=scale,
        seed=7,
        cores=2,
        versions={"kubernetes": "1.37.2"},
        ceilings=(Ceiling(kind="BE", row="basic-500", arena=ARENA, rate=400.0, bound_by="the client", steps=(step,)),),
        rounds=(
            *(done("kube-scheduler", 1, 200), done("ours", 1, 400, cpu=1)),
            *(done("ours", 2, 300), done("kube-scheduler", 2, 300)),
        ),
        arrivals=(
            Arrival(
                row="basic-500", arena=ARENA, scheduler="ours", pair=1, share=0.5, rate=65.0, pods=10, p50_ms=4.0,
                p99_ms=9.0, max_ms=11.0, lag_p99_ms=0.5,
            ),
        ),
        failures=("basic-500, ours: wrong",),
    )  # fmt: skip


def test_every_figure_is_there() -> None:
    text = rendered(measured(), baseline="kube-scheduler")
    lines = {" ".join(line.split()) for line in text.splitlines()}
    assert "basic-500 kube-scheduler 2 100 250 (200–300) 251 0.62 – 10 20 0.12" in lines
    assert "basic-500 ours 2.50 0.50 0.20 128 101 3 0.25" in lines
    assert "basic-500 BE 400 – 8: 400 the client" in lines
    assert "basic-500 ours 2 1.50 0.62" in lines
    assert "basic-500 ours 0.5 × 130/s 1 4.0 9.0 11 0.5" in lines
    assert "FAILED: basic-500, ours: wrong" in lines
    assert f"Against {ARENA}" in lines
    assert not any(line.startswith("NOT VALID") for line in lines)


def test_a_scale_is_said() -> None:
    assert "SCALE 0.1" in rendered(measured(0.1), baseline="kube-scheduler").splitlines()[0]
    assert "SCALE" not in rendered(measured(), baseline="kube-scheduler")


def test_ratios_are_of_rounds_of_one_pair() -> None:
    found = ratios(measured().rounds, "kube-scheduler", lambda one: one.rate)
    assert found["basic-500", "ours"].median == pytest.approx(1.5)  # of 400/200 and 300/300
    assert found["basic-500", "ours"].n == 2


def test_a_round_that_failed_leaves_its_pair_out() -> None:
    rounds = [one for one in measured().rounds if (one.scheduler, one.pair) != ("kube-scheduler", 1)]
    assert ratios(rounds, "kube-scheduler", lambda one: one.rate)["basic-500", "ours"].n == 1


@pytest.mark.parametrize(
    ("cores", "says"),
    [
        ({"others": 0.2, "driver": 0.3}, None),
        ({"others": 0.5}, "NOT VALID: other programs kept up to 25% of the machine busy in 4 of 4 rounds"),
        ({"driver": 0.4}, "NOT VALID: the benchmark itself kept up to 20% of the machine busy in 4 of 4 rounds"),
    ],
)
def test_a_busy_machine_is_told(cores: dict[str, float], says: str | None) -> None:
    rounds = tuple(msgspec.structs.replace(one, cores=cores) for one in measured().rounds)
    text = rendered(msgspec.structs.replace(measured(), rounds=rounds), baseline="kube-scheduler")
    assert ("NOT VALID" in text) is (says is not None)
    assert (says or "") in text


def test_a_late_client_is_told() -> None:
    late = (msgspec.structs.replace(measured().arrivals[0], lag_p99_ms=25.0),)
    text = rendered(msgspec.structs.replace(measured(), arrivals=late), baseline="kube-scheduler")
    assert "NOT VALID: the client began 1 % of its creations up to 25 ms late in 1 of 1" in text


def test_all_is_kept_in_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(measured()), type=Measured) == measured()


def test_of_be_is_taken_pair_by_pair() -> None:
    steps = tuple(Step(connections=8, pods=100, rate=rate, cores={}, decay=0.9) for rate in (500.0, 300.0))
    found = with_rounds(measured().ceilings[0], list(steps))
    text = rendered(msgspec.structs.replace(measured(), ceilings=(found,)), baseline="kube-scheduler")
    lines = {" ".join(line.split()) for line in text.splitlines()}
    assert "basic-500 kube-scheduler 2 100 250 (200–300) 251 0.70 – 10 20 0.12" in lines  # of 200/500 and 300/300
    assert any(line.startswith("basic-500 BE 400 (300–500) 0.90 8: 400 ") for line in lines)
