"""A streamed body comes out the same however the network cuts it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.models.protocols.sse import Decoder, ErrorData

LINES = st.sampled_from(
    [b"data: a", b"data:b", b"data:  c", b"data", b"data:", b": ping", b"event: x", b"", b"id", b"{", b"event: error"]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
BODIES = st.lists(st.tuples(LINES, ENDS), max_size=12).map(lambda lines: b"".join(line + end for line, end in lines))
CUTS = st.lists(st.integers(0, 60), max_size=12)


def pieces(whole: bytes, cuts: list[int]) -> list[bytes]:
    """The whole, cut at these places."""
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    return [whole[start:end] for start, end in pairwise(edges)]


def decode(chunks: list[bytes]) -> list[bytes]:
    decoder = Decoder()
    return [data for chunk in chunks for data in decoder.feed(chunk)] + decoder.close()


@given(BODIES, CUTS)
@example(b"data: a\r\n\r\n", [8])
@example(b"data: a\r\rdata: b\r\n\r\n", [8, 9])
def test_the_cuts_of_the_network_make_no_difference(body: bytes, cuts: list[int]) -> None:
    """Also between CR and LF, within a character, or byte by byte."""
    assert decode(pieces(body, cuts)) == decode([body]) == decode(pieces(body, list(range(len(body)))))


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\ndata:b\n\n", [b"a\nb"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"\n\n: ping\n\nevent: x\nid: 1\nretry: 5\n\ndata: a\n\n", [b"a"]),
        (b"data:  two blanks\r\r", [b" two blanks"]),
        (b"data\n\n", [b""]),
        (b"database: no\n\n", []),
        (b"data: forgotten end", [b"forgotten end"]),
        (b' {"a":\n\n1}', [b' {"a":\n\n1}']),
        (b"\xef\xbb\xbf{}\n", [b"{}\n"]),
        (b'[{"a": 1}]', [b'[{"a": 1}]']),
        (b"\xef", []),
        (b"", []),
    ],
)
def test_events_are_read_as_the_standard_says(body: bytes, events: list[bytes]) -> None:
    """And a body that is one JSON document is one event."""
    assert decode([body]) == events
    assert decode(pieces(body, list(range(len(body))))) == events


@pytest.mark.parametrize(
    ("body", "failed"),
    [
        (b"event: error\ndata: a\n\ndata: b\n\n", [True, False]),
        (b'error: {"code": 500}\n\ndata: b\n\n', [True, False]),
        (b"event: message\ndata: a\n\n", [False]),
        (b"event: error\n\ndata: a\n\n", [False]),
    ],
)
def test_an_event_that_is_called_an_error_is_told_from_the_others(body: bytes, failed: list[bool]) -> None:
    """By its name, or by the field that llama.cpp writes in place of `data`; only where it has data."""
    assert [isinstance(event, ErrorData) for event in decode([body])] == failed
