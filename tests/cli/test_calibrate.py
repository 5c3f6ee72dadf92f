"""``idcbench calibrate``: what it prints, and its exit code."""

from __future__ import annotations

import json

import msgspec
import pytest

from idcbench.cli.calibrate import INVALID
from idcbench.cli.main import main
from idcbench.measure import calibration, ceiling
from idcbench.measure.calibration import Reading
from idcbench.measure.ceiling import Ceiling


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Reading]:
    """What calibration gives."""
    given = [
        Reading(measure="delay, p50", truth=2, measured=2.25, unit="ms", limit=1),
        Reading(measure="closed", truth=494, measured=2, unit="ms", note="for comparison"),
    ]
    monkeypatch.setattr(calibration, "calibrate", lambda **_: iter(given))
    monkeypatch.setattr(ceiling, "measure_ceiling", lambda http: Ceiling(rate_per_s=7000 / float(http), measured=""))
    return given


@pytest.mark.usefixtures("readings")
def test_errors_are_told_and_what_has_no_limit_is_only_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate"]) == 0
    said = capsys.readouterr().out
    assert "delay, p50" in said
    assert "+0.25" in said
    assert "-492" in said
    assert "too far off" not in said
    assert "keeps its times up to 3500/s over HTTP/2" in said


def test_too_far_off_is_invalid(readings: list[Reading], capsys: pytest.CaptureFixture[str]) -> None:
    readings.append(Reading(measure="lost", truth=22, measured=21, unit="requests", limit=0))
    assert main(["calibrate"]) == INVALID
    assert "too far off" in capsys.readouterr().out
    assert main(["calibrate", "--json"]) == INVALID
    said = json.loads(capsys.readouterr().out)
    assert [one["measure"] for one in said["readings"]] == ["delay, p50", "closed", "lost"]
    assert said["ceilings"]["2"]["rate_per_s"] == 3500


@pytest.mark.integration
def test_every_measure_is_taken() -> None:
    """How far off they are is a matter of the machine, and asserted by nobody but who calls the command."""
    found = list(calibration.calibrate(seconds=4))
    assert msgspec.json.encode(found)
    measures = [one.measure for one in found]
    assert measures.count("delay, p50") == 3
    lost = next(one for one in found if one.measure == "requests lost")
    assert lost.error == 0
    omitted = next(one for one in found if one.measure == "stall, p99.9 by a closed loop")
    assert omitted.measured < omitted.truth / 2
