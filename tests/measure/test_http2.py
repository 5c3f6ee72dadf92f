"""HTTP/2 as a protocol of the open load: the same records as over HTTP/1.1, on few connections."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded
from hypothesis import given
from hypothesis import strategies as st

from idcbench.kube.access import Access
from idcbench.kube.connection import Endpoint
from idcbench.measure.arrivals import constant
from idcbench.measure.calls import Call
from idcbench.measure.certificate import self_signed
from idcbench.measure.http2 import Http2Composer, Http2Streams
from idcbench.measure.instrument import InstrumentError
from idcbench.measure.loader import LoadPlan, LoadResult, run_load
from idcbench.measure.open_loop import Outcome
from idcbench.measure.synthetic import Behaviour, SyntheticServer, SyntheticSettings
from idcbench.measure.synthetic_http2 import Http2Reader, answer

READ = Call(name="read", path="/api/v1/pods", weight=3)
LARGE = Call(name="write", method="POST", path="/api/v1/pods/{n}", body=json.dumps({"data": "{n}" + 300_000 * "x"}))


@pytest.fixture
def settings(tmp_path: Path) -> SyntheticSettings:
    certificate, key = self_signed(tmp_path)
    return SyntheticSettings(behaviour=Behaviour(), certificate=certificate, key=key, http="2")


def loaded(settings: SyntheticSettings, *, calls: tuple[Call, ...] = (READ,), **about: object) -> LoadResult:
    with SyntheticServer(settings) as server:
        access = Access(server=server.url, kubeconfig=Path(), ca_file=settings.certificate)
        plan = LoadPlan(planned_ns=constant(200, 1), calls=calls, http="2", **about)  # type: ignore[arg-type]
        return run_load(access, plan)


def test_everything_is_sent_at_its_time_and_answered_over_tls(settings: SyntheticSettings) -> None:
    found = loaded(settings, processes=2, connections=66)
    assert list(found.sent["number"]) == list(range(200))
    assert (found.sent["planned_ns"] == found.started_ns + constant(200, 1)).all()
    assert found.counts() == {Outcome.OK: 200, Outcome.REFUSED: 0, Outcome.BROKEN: 0, Outcome.LATE: 0}
    assert set(found.sent["status"]) == {200}


def test_bodies_larger_than_any_window_go_through(settings: SyntheticSettings) -> None:
    found = loaded(settings, calls=(READ, LARGE), connections=8)
    assert found.counts("write")[Outcome.OK] == len(found.of("write")) > 20


def test_a_stall_counts_in_full(settings: SyntheticSettings) -> None:
    found = loaded(replace(settings, behaviour=Behaviour(stall_at_s=0.2, stall_ms=300)))
    sent = found.sent
    begun_ns, end_ns = (
        sent["completed_ns"][0] + 200_000_000,
        sent["started_ns"][0] + 500_000_000,
    )  # at latest, at soonest
    stalled = sent[(sent["started_ns"] > begun_ns) & (sent["started_ns"] < end_ns)]
    assert len(stalled) > 10
    assert (stalled["completed_ns"] >= end_ns).all()


def test_a_connection_that_is_lost_breaks_what_it_carried_and_the_load_goes_on(settings: SyntheticSettings) -> None:
    counts = loaded(replace(settings, behaviour=Behaviour(loss=0.05, seed=2))).counts()
    assert counts[Outcome.BROKEN] > 2
    assert counts[Outcome.OK] + counts[Outcome.BROKEN] == 200


def test_what_misses_its_deadline_is_late(settings: SyntheticSettings) -> None:
    found = loaded(replace(settings, behaviour=Behaviour(delay_ms=5000)), deadline_s=0.3, connections=40)
    assert found.counts()[Outcome.LATE] == 200


def test_a_server_without_http_2_is_an_error(settings: SyntheticSettings) -> None:
    with pytest.raises(InstrumentError, match="HTTP/2 is wanted, but the server does not speak it"):
        loaded(replace(settings, http="1.1"))


@given(st.integers(0, 2**32 - 1))
def test_the_number_goes_where_it_belongs(number: int) -> None:
    endpoint = Endpoint(host="h", address=("h", 1), family=2, tls=None)  # type: ignore[arg-type]
    call = Call(name="x", method="PUT", path="/a/{n}", body='{"a":"{n}"}')
    composed = Http2Composer([call], endpoint, {"Authorization": "Bearer x"})(0, number)
    headers = dict(composed.headers)
    assert [name for name, _ in composed.headers[:4]] == [b":method", b":scheme", b":authority", b":path"]
    assert (headers[b":path"], headers[b"authorization"]) == (f"/a/{number:010d}".encode(), b"Bearer x")
    assert json.loads(composed.body) == {"a": f"{number:010d}"}


@given(st.binary(max_size=50_000), st.integers(1, 5000))
def test_the_null_server_speaks_as_h2_understands_it_however_bytes_are_cut(body: bytes, cut: int) -> None:
    client = H2Connection(H2Configuration(client_side=True))
    server = Http2Reader()
    client.initiate_connection()
    headers = [(":method", "POST"), (":path", "/"), (":scheme", "https"), (":authority", "a")]
    client.send_headers(1, headers, end_stream=False)
    for at in range(0, len(body), 16_000):
        client.send_data(1, body[at : at + 16_000])
    client.end_stream(1)
    sent, events, asked = client.data_to_send(), [], []
    for at in range(0, len(sent), cut):
        taken = server.feed(sent[at : at + cut])
        asked += taken.asked
        events += client.receive_data(taken.reply)
    assert asked == [1]
    events += client.receive_data(answer(1, b"{}"))
    assert [type(each) for each in events[-3:]] == [ResponseReceived, DataReceived, StreamEnded]


def test_what_is_no_http_2_is_refused() -> None:
    with pytest.raises(ValueError, match="no HTTP/2 preface"):
        Http2Reader().feed(b"GET / HTTP/1.1\r\n")


async def test_places_share_connections(settings: SyntheticSettings) -> None:
    with SyntheticServer(settings) as server:
        access = Access(server=server.url, kubeconfig=Path(), ca_file=settings.certificate)
        streams = Http2Streams(Endpoint.of(server.url, access), access)
        places = [await streams.connect() for _ in range(33)]
        assert len({id(place._connection) for place in places}) == 2
        places[0].abort()
        again = await streams.connect()
        assert again._connection is places[0]._connection
        streams.close()
        assert not again.usable
