"""A streamed body comes out the same however the network cuts it, and thoughts are told from the answer."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.models.sse import Decoder
from bot.models.thinking import Thinking

LINES = st.sampled_from(
    [b"data: a", b"data:b", b"data:  c", b"data", b"data:", b": ping", b"event: x", b"", b"id", b"{"]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
BODIES = st.lists(st.tuples(LINES, ENDS), max_size=12).map(lambda lines: b"".join(line + end for line, end in lines))
TEXTS = st.lists(st.sampled_from(["<think>", "</think>", "<", "think>", "</th", " ", "\n", "a", "é"]), max_size=10)
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
        (b"\xef", []),
        (b"", []),
    ],
)
def test_events_are_read_as_the_standard_says(body: bytes, events: list[bytes]) -> None:
    """And a body that is one JSON document is one event."""
    assert decode([body]) == events
    assert decode(pieces(body, list(range(len(body))))) == events


def split(chunks: list[str]) -> tuple[str, str]:
    """(answer, thoughts) of a text that comes in these chunks."""
    thinking = Thinking()
    parts = [*(thinking.feed(chunk) for chunk in chunks), thinking.close()]
    return "".join(answer for answer, _ in parts), "".join(thoughts for _, thoughts in parts)


@given(TEXTS)
def test_the_cuts_of_the_model_make_no_difference(chunks: list[str]) -> None:
    """A tag may be split over any number of pieces."""
    whole = "".join(chunks)
    assert split(chunks) == split([whole]) == split(list(whole))


@given(st.text())
def test_a_text_without_the_tag_stays_as_it_is(text: str) -> None:
    """To the letter, blanks at its start included."""
    if not text.lstrip().startswith("<think>"):
        assert split(list(text)) == (text, "")


@pytest.mark.parametrize(
    ("text", "answer", "thoughts"),
    [
        ("<think>Hm.</think>Yes.", "Yes.", "Hm."),
        ("\n <think>\nHm.\n</think>\n\nYes. ", "Yes. ", "\nHm.\n"),
        ("<think>a < b </thin</think> c", "c", "a < b </thin"),
        ("<think></think>Yes.", "Yes.", ""),
        ("<think>Hm.", "", "Hm."),
        ("<think>", "", ""),
        ("<think>Hm.</thi", "", "Hm.</thi"),
        ("<think>a</think> b <think>c</think>", "b <think>c</think>", "a"),
        ("Yes. <think>no</think>", "Yes. <think>no</think>", ""),
        ("<thinking>no", "<thinking>no", ""),
        ("<thi", "<thi", ""),
        ("", "", ""),
    ],
)
def test_thoughts_are_told_from_the_answer(text: str, answer: str, thoughts: str) -> None:
    """Only at the very start; without an end all of it is thoughts."""
    assert split([text]) == (answer, thoughts)
