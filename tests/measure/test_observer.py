"""The observer sees what happens to a server, and says when."""

from __future__ import annotations

import time
from typing import Any

import pytest

from idcbench.kube.access import Access
from idcbench.measure.instrument import InstrumentError
from idcbench.measure.observer import observing, subjects_of
from idcbench.measure.vigil import BEAT_S, Subject


def subjects(server: Any) -> tuple[Subject, ...]:
    held = server.url.replace("http:", "https:")  # watched by an open connection alone
    return (
        Subject(host="cp1", component="etcd", url=server.url),
        Subject(host="cp1", component="kube-apiserver", url=held),
    )


def test_a_crash_is_seen_at_once_by_both_kinds_of_vigil(little_server: Any) -> None:
    with observing(little_server.access, subjects(little_server)) as observer:
        observer.wait_until_all_up()
        killed_ns = time.monotonic_ns()
        little_server.kill()
        for component in ("etcd", "kube-apiserver"):
            sighting = observer.wait_until_seen("cp1", component, "gone", after_ns=killed_ns)
            assert 0 <= sighting.at_ns - killed_ns < 100e6
        assert 0 <= observer.cpu_share() < 1


def test_a_freeze_is_seen_from_its_first_question_without_an_answer(little_server: Any) -> None:
    with observing(little_server.access, subjects(little_server)) as observer:
        observer.wait_until_all_up()
        frozen_ns = little_server.freeze_for(0.5)
        began = observer.wait_until_seen("cp1", "etcd", ("silent", "frozen"), after_ns=frozen_ns - int(10e6))
        ended = observer.wait_until_seen("cp1", "etcd", "up", after_ns=began.at_ns)
        assert began.seen == "frozen"
        assert -10e6 < began.at_ns - frozen_ns < (BEAT_S + 0.1) * 1e9
        assert 0.5e9 <= ended.at_ns - frozen_ns < 0.9e9
        assert [it.seen for it in observer.sightings() if it.component == "etcd"] == ["up", "frozen", "up"]


def test_what_did_not_happen_is_not_seen(little_server: Any) -> None:
    with observing(little_server.access, subjects(little_server)) as observer:
        observer.wait_until_all_up()
        with pytest.raises(InstrumentError, match=r"etcd on cp1 was not seen gone within 0\.3 s"):
            observer.wait_until_seen("cp1", "etcd", "gone", timeout_s=0.3)
        assert [it.seen for it in observer.sightings()] == ["up", "up"]


def test_a_host_that_answers_nothing_is_silent() -> None:
    away = Access(server="http://192.0.2.1:1", kubeconfig=None)  # type: ignore[arg-type]
    with observing(away, (Subject(host="cp9", component="etcd", url="http://192.0.2.1:2381"),)) as observer:
        assert observer.wait_until_seen("cp9", "etcd", ("silent", "gone")).host == "cp9"


def test_subjects_are_etcd_and_the_api_server_of_each_host(tmp_path: Any) -> None:
    access = Access(server="https://10.0.0.9:8443", kubeconfig=tmp_path, members=("https://10.0.0.1:6443",))
    found = subjects_of(access, [("cp1", "10.0.0.1"), ("cp2", "10.0.0.2")])
    assert [(it.host, it.component, it.url) for it in found] == [
        ("cp1", "etcd", "http://10.0.0.1:2381"),
        ("cp1", "kube-apiserver", "https://10.0.0.1:6443"),
        ("cp2", "etcd", "http://10.0.0.2:2381"),
    ]
