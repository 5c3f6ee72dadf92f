"""Series for a comparison: what came about by chance is taken together."""

from __future__ import annotations

from pathlib import Path

from idcbench.runs.directory import create_run
from idcbench.runs.metrics import comparable_series_of, series_of


def test_series_that_differ_by_chance_alone_are_one_in_the_order_of_time(tmp_path: Path) -> None:
    run = create_run(tmp_path, target_id="t")
    for led, at_ns, value in (("yes", 30, 3.0), ("no", 10, 1.0), ("yes", 20, 2.0)):
        labels = {"fault": "host-loss", "led": led}
        run.series("outage", unit="ms", better="lower", labels=labels, chance=["led"]).add(value, at_ns)
    run.series("other", unit="ms", better="lower", labels={"led": "no"}).add(9.0, 1)
    assert len(series_of(run.path)) == 3
    found = comparable_series_of(run.path)
    assert set(found) == {("outage", (("fault", "host-loss"),)), ("other", (("led", "no"),))}
    header, samples = found["outage", (("fault", "host-loss"),)]
    assert header.labels == {"fault": "host-loss"}
    assert samples["value"].tolist() == [1.0, 2.0, 3.0]
