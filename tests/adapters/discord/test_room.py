"""Which questions get a thread, and what it is called."""

from __future__ import annotations

import pytest

from adapters.discord.outbound.thread import title
from bot.domain.messages import Author, Incoming, Place
from tests.loopback.discord import ANN, GENERAL, TALK


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("why?", "why?"),
        ("", "A question of Ann"),
        ("\u200b\n ** `", "A question of Ann"),
        ("# Title\n> quoted\n```py\ncode", "Title > quoted py code"),
        ("ask @Ben in #general", "ask @Ben in #general"),
        ("x" * 150, "x" * 99 + "…"),
        ("word " * 40, "word " * 19 + "word…"),
        ("a\x00b\ud800c\u202ed", "a bcd"),
    ],
)
def test_a_thread_is_named_after_the_question(text: str, name: str) -> None:
    """On one line of at most 100 characters, without marks."""
    question = Incoming(Place("discord:5", home=f"discord:{GENERAL}"), Author(ANN, "Ann"), text, GENERAL, "5")
    assert title(question) == name
    assert len(name) <= 100


@pytest.mark.parametrize(("place", "channel"), [(GENERAL, GENERAL), (TALK, TALK), ("5", "5")])
def test_what_is_answered_where_it_was_said_has_no_thread(place: str, channel: str) -> None:
    """Nor has the first message of a forum's post, which has the post's own id."""
    assert title(Incoming(Place(f"discord:{place}"), Author(ANN, "Ann"), "why?", channel, "5")) == ""
