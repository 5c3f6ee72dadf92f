"""The response parser gives the same whatever pieces the network cuts the bytes into."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.kube.http1 import ResponseParser, whole_response

BODIES = st.lists(st.binary(min_size=1, max_size=40), max_size=5)


def parse(pieces: list[bytes]) -> tuple[ResponseParser, bytes]:
    body: list[bytes] = []
    parser = ResponseParser(body.append)
    for piece in pieces:
        parser.feed(piece)
    return parser, b"".join(body)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(position % (len(data) + 1) for position in at)})
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]


def chunked(chunks: list[bytes]) -> bytes:
    framed = b"".join(b"%x;extension=1\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n" + framed + b"0\r\nTrailer: 1\r\n\r\n"


@given(chunks=BODIES, at=st.lists(st.integers(0, 10_000), max_size=20))
def test_chunked_bodies_are_whole_however_they_are_cut(chunks: list[bytes], at: list[int]) -> None:
    parser, body = parse(cut(chunked(chunks), at))
    assert (parser.status, parser.complete, parser.keeps_open) == (200, True, True)
    assert body == b"".join(chunks)


@given(body=st.binary(max_size=200), at=st.lists(st.integers(0, 10_000), max_size=20))
def test_counted_bodies_are_whole_however_they_are_cut(body: bytes, at: list[int]) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    data = interim + b"HTTP/1.1 201 Created\r\ncontent-LENGTH:  %d\r\n\r\n" % len(body) + body
    parser, found = parse(cut(data, at))
    assert (parser.status, parser.complete, found) == (201, True, body)


@given(chunks=BODIES.filter(bool), lost=st.integers(1, 30))
def test_a_response_that_lacks_its_end_is_not_complete(chunks: list[bytes], lost: int) -> None:
    parser, _ = parse([chunked(chunks)[:-lost]])
    assert not parser.complete
    assert not parser.end()


def test_a_body_that_the_connection_ends_is_complete_at_its_end() -> None:
    parser, body = parse([b"HTTP/1.0 200 OK\r\n\r\nab", b"c"])
    assert (parser.complete, body) == (False, b"abc")
    assert parser.end()
    assert not parser.keeps_open


def test_a_response_without_a_body_is_complete_with_its_head() -> None:
    assert parse([b"HTTP/1.1 204 No Content\r\n\r\n"])[0].complete


def test_the_server_may_end_the_connection() -> None:
    assert not parse([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"])[0].keeps_open


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-8\r\nabc\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse([data])


@given(body=st.binary(max_size=200), lost=st.integers(0, 5), more=st.binary(max_size=3))
def test_the_short_way_takes_exactly_one_whole_answer(body: bytes, lost: int, more: bytes) -> None:
    data = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\nDate: x\r\n\r\n" % len(body) + body
    assert whole_response(data) == (201, body)
    altered = data[: len(data) - min(lost, len(body))] + more
    assert (whole_response(altered) is not None) == (len(altered) == len(data))


@given(chunks=BODIES, lost=st.integers(1, 30), more=st.binary(min_size=1, max_size=3))
def test_the_short_way_takes_exactly_one_whole_chunked_answer(chunks: list[bytes], lost: int, more: bytes) -> None:
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    data = b"HTTP/1.1 200 OK\r\nDate: x\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"
    assert whole_response(data) == (200, b"".join(chunks))
    assert whole_response(data[:-lost]) is None
    assert whole_response(data + more) is None
    assert whole_response(data + data) is None


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
    ],
)
def test_the_short_way_leaves_the_rest_to_the_parser(head: bytes) -> None:
    assert whole_response(head + b"\r\n\r\nab") is None
