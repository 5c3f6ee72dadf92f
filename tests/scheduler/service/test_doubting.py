"""A server that stands still keeps its watches open: what is known from elsewhere gives it away."""

from __future__ import annotations

import pytest
from fake_api import Hang, Stall
from running import lease, running, settings
from scheduler_api import SchedulerApi

from idcbench.scheduler.service import doubting, service
from idcbench.scheduler.service.doubting import DOUBT_S, DoubtingSession, Vigil


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubting, "DOUBT_S", 0.5)
    monkeypatch.setattr(service, "TEND_S", 0.1)


@pytest.mark.usefixtures("impatient")
async def test_bindings_that_the_watch_does_not_tell_of_end_it(three: SchedulerApi) -> None:
    three.node("one", cpu="10")
    three.next(Stall(after=1), watch=True, path="/api/v1/pods")
    async with running(three) as service:
        for number in range(5):
            three.pod(f"p{number}")
        await three.until(lambda: all(three.nodes_of(*(f"p{number}" for number in range(5)))))
        await three.until(lambda: not service.gauges().assumed_pods)
    assert len(three.bindings()) == 5


@pytest.mark.usefixtures("impatient")
async def test_a_lease_that_the_watch_does_not_tell_of_ends_all_watches(three: SchedulerApi) -> None:
    three.node("one")
    three.next(Stall(), watch=True, path="/api/v1/pods")
    three.next(Stall(after=2), watch=True, path="/apis/coordination")
    async with running(three, told=settings(lease=lease("a"))) as service:
        await three.until(lambda: service.leading)
        three.pod("p")
        await three.until(lambda: any(three.nodes_of("p")))


async def test_a_watch_that_is_not_answered_goes_elsewhere(
    three: SchedulerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubting, "OPEN_S", 0.3)
    three.node("one")
    three.next(Hang(), watch=True, path="/api/v1/pods")
    async with running(three):
        three.pod("p")
        await three.until(lambda: any(three.nodes_of("p")))


@pytest.mark.usefixtures("impatient")
async def test_watches_that_tell_everything_are_left_alone(three: SchedulerApi) -> None:
    three.node("one", cpu="10")
    async with running(three, told=settings(lease=lease("a"))) as service:
        for number in range(8):
            three.pod(f"p{number}")
            await three.until(lambda number=number: any(three.nodes_of(f"p{number}")))
        await three.until(lambda: not service.gauges().assumed_pods)
        begun = sum(seen.watch for seen in three.seen if seen.path == "/api/v1/pods")
    assert begun == 1


class Noted(DoubtingSession):
    def __init__(self) -> None:
        self.doubts: list[str] = []

    def doubt(self, why: str) -> None:
        self.doubts.append(why)


def test_a_wrong_guess_is_not_made_again_at_once_and_our_own_sleep_is_no_sign() -> None:
    session, now_s, missing_s = Noted(), 100.0, 0.0
    vigil = Vigil(session, {"it": lambda: missing_s}, clock=lambda: now_s)

    def after(seconds: float) -> int:
        nonlocal now_s, missing_s
        now_s += seconds
        missing_s += seconds
        vigil.look()
        return len(session.doubts)

    assert [after(1.0) for _ in range(int(DOUBT_S) + 2)] == [0] * (int(DOUBT_S) - 1) + [1] * 3
    assert after(60.0) == 1
    assert after(1.0) == 1
