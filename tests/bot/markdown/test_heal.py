"""Half-written markdown: nothing open, no half syntax, and no word held back for long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.markdown import heal
from tests.support.markdown_texts import anything, documents, unclosed
from tests.support.tries import tries

steady = tries(20)
shares = st.floats(0, 1)


def begin(text: str, share: float) -> str:
    """A beginning of a text."""
    return text[: round(len(text) * share)]


def kept(text: str) -> str:
    """What a healed text still has of the text, without the markers that close it."""
    healed = heal(text)
    size = max(size for size in range(len(healed) + 1) if text.startswith(healed[:size]))
    return healed[:size]


@steady
@given(st.one_of(documents, anything), shares)
def test_a_healed_text_is_a_beginning_and_closers(text: str, share: float) -> None:
    """Healing adds nothing but markers at the end."""
    half = begin(text, share)
    closers = heal(half)[len(kept(half)) :]
    assert set(closers) <= set("`~*_|> \n")


@steady
@given(documents, shares)
def test_no_fence_is_open(text: str, share: float) -> None:
    """In a healed text, another reader of markdown finds no open fence."""
    assert unclosed(heal(begin(text, share))) == []


@steady
@given(documents, shares)
def test_a_healed_text_is_whole(text: str, share: float) -> None:
    """There is nothing more to heal in a healed text."""
    healed = heal(begin(text, share))
    assert heal(healed).rstrip() == healed.rstrip()


@steady
@given(documents)
def test_a_finished_text_is_shown_whole(text: str) -> None:
    """A finished line that closes all of its markers is not held back."""
    assert heal(f"{text}\n\nThe end.\n") == f"{text}\n\nThe end.\n"


@steady
@given(anything)
def test_ordinary_words_bring_any_text_out(text: str) -> None:
    """Whatever was written before, a paragraph that follows shows, and with it what stood before it."""
    assert "the end comes" in heal(f"{text}\n\n{'the end comes to all that was written ' * 80}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Some **bold te", "Some **bold te**"),
        ("Some **bold te*", "Some **bold te**"),
        ("Some **", "Some "),
        ("Some *em and **both", "Some *em and **both***"),
        ("Run `pip inst", "Run `pip inst`"),
        ("Run `", "Run "),
        ("Run ``a ` b", "Run ``a ` b``"),
        ("A ~~gone", "A ~~gone~~"),
        ("A ||secret", "A ||secret||"),
        ("See [the docs](https://exam", "See "),
        ("See [the docs", "See "),
        ("See [the docs](https://example.org)", "See [the docs](https://example.org)"),
        ("See <https://exam", "See "),
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("Text\n\n```py\n", "Text\n\n"),
        ("Text\n\n``", "Text\n\n"),
        ("```\nx\n``", "```\nx\n```"),
        ("~~~~\n```\nx\n```\n", "~~~~\n```\nx\n```\n~~~~"),
        ("> ```py\n> x = 1", "> ```py\n> x = 1\n> ```"),
        ("- a\n  ```py\n  x = 1", "- a\n  ```py\n  x = 1\n  ```"),
        ("Text\n\n| a | b |", "Text\n\n"),
        ("Text\n\n| a | b |\n|--", "Text\n\n"),
        ("| a | b |\n|---|---|\n| 1 | 2", "| a | b |\n|---|---|\n"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("List:\n- one\n-", "List:\n- one\n"),
        ("List:\n- one\n- ", "List:\n- one\n"),
        ("Text\n\n#", "Text\n\n"),
        ("A price of 5 * 3", "A price of 5 * 3"),
        ("A footnote* and more", "A footnote* and more"),
        ("snake_case_na", "snake_case_na"),
        ("a [ b and on", "a "),
        ("x < y and y > z", "x < y and y > z"),
        ("", ""),
    ],
)
def test_half_syntax_does_not_flash(text: str, shown: str) -> None:
    """What is open is closed; what means nothing yet waits."""
    assert heal(text) == shown


@pytest.mark.parametrize("lone", ["*", "**", "[", "![", "`", "||", "~~", "_", "<", "|", "$"])
def test_a_lone_sign_hides_nothing_for_long(lone: str) -> None:
    """A sign that is never closed lets the words after it through, soon."""
    prose = " ".join(f"word{number}" for number in range(30))
    assert prose in heal(f"Look: {lone} {prose}")
    assert "word10" in heal(f"Look: {lone}{prose}")


def test_an_array_index_is_no_link() -> None:
    """Brackets that no address follows show at once."""
    assert heal("the items a[0] and a[1] are equal") == "the items a[0] and a[1] are equal"
