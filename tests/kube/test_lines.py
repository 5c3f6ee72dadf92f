"""Lines out of pieces."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from idcbench.kube.lines import Lines


@given(text=st.binary(max_size=60).map(lambda raw: raw.replace(b"x", b"\n")), cuts=st.lists(st.integers(0, 60)))
def test_the_lines_are_the_same_however_the_stream_is_cut(text: bytes, cuts: list[int]) -> None:
    at = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    lines = Lines()
    found = [line for start, end in itertools.pairwise(at) for line in lines.feed(text[start:end])]
    assert found == [line for line in text.split(b"\n")[:-1] if line]


def test_a_long_line_in_many_pieces_is_not_searched_again() -> None:
    lines = Lines()
    for _ in range(1000):
        assert lines.feed(b"x" * 10_000) == []
    assert [len(line) for line in lines.feed(b"\nshort\nrest")] == [10_000_000, 5]
