"""Markdown as plain words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.markdown import plain
from tests.support.markdown_texts import anything, documents


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("## A **bold** `title` ##", "A bold title"),
        ("- [x] done\n- [ ] to do\n1. one", "done to do one"),
        ("See [the *docs*](https://a.b/c) or <https://d.e>", "See the docs or https://d.e"),
        ("![A cat](https://a.b/c.png)", "A cat"),
        ("> quoted\n> text\n\n---\n\nafter", "quoted text after"),
        ("```py\nx = a * b * c\n```", "x = a * b * c"),
        ("| a | b |\n|---|---|\n| **1** | `2` |", "a b 1 2"),
        ("~~no~~ ||secret|| __yes__", "no secret yes"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        (r"a \* b and `c \* d`", r"a * b and c \* d"),
        ("**an *inner* one**", "an inner one"),
        ("C# and #1", "C# and #1"),
        ("", ""),
    ],
)
def test_the_words_remain(text: str, words: str) -> None:
    """Markers go, words stay, code is left as it is."""
    assert plain(text) == words


def test_a_long_text_is_cut_between_characters() -> None:
    """What is longer ends in an ellipsis, with no character as people see it cut in two."""
    assert plain("one two three", 9) == "one two…"
    assert plain("ab👩‍👩‍👧‍👦cd", 6) == "ab…"


@settings(derandomize=True, deadline=None, max_examples=20)
@given(st.one_of(documents, anything), st.integers(1, 300))
def test_it_is_one_short_line(text: str, length: int) -> None:
    """Any text gives one line of at most the length."""
    words = plain(text, length)
    assert len(words) <= length
    assert "\n" not in words
