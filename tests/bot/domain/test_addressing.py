"""Which mentions address the bot, and which are part of a sentence."""

from __future__ import annotations

import pytest

from bot.domain.addressing import strip_address

MENTION = r"<@B(?:\|\w+)?>"


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("<@B> hi", "hi"),
        (" <@B>, <@B|bot>: hi", "hi"),
        ("<@B>", ""),
        ("<@B> <@B>", ""),
        ("use <@B> to call it", "use <@B> to call it"),
        ("<@B> use <@B> to call it", "use <@B> to call it"),
        ("reset <@B>", "reset"),
        ("hello, <@B>", "hello"),
        ("hello, all of you, <@B>", "hello, all of you"),
        ("What is this? <@B> ", "What is this?"),
        ("What is this\n<@B>\n", "What is this"),
        ("who made <@B>", "who made <@B>"),
        ("what do you think, <@B>?", "what do you think, <@B>?"),
        ("so it is. <@B> <@B>", "so it is. <@B> <@B>"),
        ("", ""),
    ],
)
def test_only_what_addresses_the_bot_is_taken_off(text: str, stripped: str) -> None:
    """At the beginning, or set off at the end."""
    assert strip_address(text, MENTION) == stripped


def test_a_long_text_costs_no_more_than_its_length() -> None:
    """Neither blanks nor half mentions make the search slow."""
    for text in (" " * 200_000 + "x", "<@B> " + " " * 200_000 + "x", "<@" * 100_000, "a " + "<@B> x" * 30_000):
        assert strip_address(text, MENTION).endswith(text[-1])
