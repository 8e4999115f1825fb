"""What only a terminal or a renderer obeys is taken out of foreign text, however it is cut into pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.plain_text import Plain, strip_controls

PARTS = st.sampled_from(
    ["a", "é", "\n", "\x1b", "[", "31", "m", "]", "0;x", "\x07", "\\", "\0", "\u202e", " ", ";", "\x9b"]
)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (
            "a\tb\r\nc\u2028 é \U0001f9d1\u200d\U0001f680 \u200e\u200f",
            "a\tb\r\nc\u2028 é \U0001f9d1\u200d\U0001f680 \u200e\u200f",
        ),
        ("a\0b\x07\x7f\x85c", "abc"),
        ("\x1b[31mred\x1b[0m \x1b[2Jcleared\x1b[?25l", "red cleared"),
        ("\x1b]0;title\x07a \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "a link"),
        ("\x1bcreset \x1b(Bset", "reset set"),
        ("a\x1bé", "aé"),
        ("user\u202etxt.exe\u202c \u2066x\u2069", "usertxt.exe x"),
        ("\x1b]0;" + "x" * 400, "]0;" + "x" * 400),
    ],
)
def test_controls_go_and_words_stay(text: str, plain: str) -> None:
    """Line ends, tabs, joiners and the marks of scripts from right to left are words, too."""
    assert strip_controls(text) == plain
    assert feed(list(text)) == plain


@given(st.lists(PARTS, max_size=14).map("".join), st.lists(st.integers(0, 30), max_size=6))
@example("\x1b]8;;\x1b\\a", [6])
def test_the_cuts_make_no_difference(text: str, cuts: list[int]) -> None:
    """A sequence may be split over any number of pieces."""
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    assert feed([text[start:end] for start, end in pairwise(edges)]) == strip_controls(text)


def feed(pieces: list[str]) -> str:
    """What comes of a text in pieces."""
    plain = Plain()
    return "".join([*map(plain.feed, pieces), plain.close()])
