"""What every drill must show, whatever was broken."""

from __future__ import annotations

from idcbench.measure.addresses import not_one_owner
from idcbench.measure.outage import longest_idle_ms

from .drill import BEFORE_S, Drilled

ONE_OWNER_WITHIN_S = 2.0
"""After what was lost began to come back."""
IDLE_LIMIT_MS = 500.0
"""A probe that starts nothing for so long was not running; its shortest interval is 40 ms."""


def prove(drilled: Drilled) -> None:
    """Nothing acknowledged is lost, the address has one owner again in time, and the measuring can be trusted."""
    probe_was_running(drilled)
    nothing_acknowledged_was_lost(drilled)
    watchers_missed_nothing(drilled)
    one_owner_in_time(drilled)


def probe_was_running(drilled: Drilled) -> None:
    """Before, during and after: from before the fault to the end the probe never paused."""
    begin_ns = drilled.acted_ns - int(BEFORE_S * 1e9)
    idle_ms = longest_idle_ms(drilled.probe.requests, since_ns=begin_ns, until_ns=drilled.steady_ns)
    assert idle_ms <= IDLE_LIMIT_MS, f"the probe sent nothing for {idle_ms:.0f} ms: what it measured is void"
    surprises = drilled.probe.surprises
    assert not surprises, f"{len(surprises)} requests ended by a fault of the probe itself: {surprises[:3]}"


def nothing_acknowledged_was_lost(drilled: Drilled) -> None:
    """Every acknowledged write was read back."""
    probe = drilled.probe
    assert probe.acknowledged, "no write was acknowledged, so nothing was proved"
    assert not probe.lost, f"{len(probe.lost)} of {probe.acknowledged} acknowledged writes are lost: {probe.lost[:10]}"


def watchers_missed_nothing(drilled: Drilled) -> None:
    """A watch that resumed saw every acknowledged write, and none twice; one that had to begin anew may have missed."""
    watch = drilled.probe.watch
    if watch is None or watch.relists:
        return
    assert not watch.missing, f"{len(watch.missing)} acknowledged writes never came to the watch: {watch.missing[:10]}"
    assert not watch.repeated, f"{len(watch.repeated)} events came twice: {watch.repeated[:10]}"


def one_owner_in_time(drilled: Drilled) -> None:
    """From 2 s after what was lost began to come back, exactly one host holds the virtual IP."""
    since_ns = drilled.returned_ns + int(ONE_OWNER_WITHIN_S * 1e9)
    wrong = not_one_owner(drilled.held, since_ns=since_ns, until_ns=drilled.steady_ns)
    said = [f"{sorted(it.owners) or 'nobody'} from {(it.since_ns - drilled.returned_ns) / 1e9:+.2f} s" for it in wrong]
    assert not wrong, f"the virtual IP had not one owner: {'; '.join(said)} (counted from the return)"
