"""Which mentions of the bot are part of what is said on Discord."""

from __future__ import annotations

import pytest

from tests.loopback.discord import BOT, BOT_ROLE
from tests.support.discord_app import Heard

MENTION = f"<@{BOT}>"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (f"{MENTION}, use {MENTION} or <@&{BOT_ROLE}> to call it", "use @parley or @parley to call it"),
        (f"<@&{BOT_ROLE}> {MENTION}: hello", "hello"),
        (f"Is this true? {MENTION}", "Is this true?"),
        (f"who made {MENTION}", "who made @parley"),
    ],
)
def test_a_mention_within_a_sentence_is_a_name(written: str, read: str) -> None:
    """What addresses the bot is taken off, and nothing else of the words."""
    question = Heard().ask(written)
    assert question is not None
    assert question.text == read


def test_a_command_may_be_followed_by_the_mention() -> None:
    """It is the whole message all the same."""
    question = Heard().ask(f"reset {MENTION}")
    assert question is not None
    assert question.command == "reset"
