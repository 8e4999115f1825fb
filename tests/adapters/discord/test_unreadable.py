"""Messages that discord.py cannot read, where they come by a call: they are skipped, and keep nothing else back."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from tests.adapters.discord.test_missed import MENTION, met
from tests.adapters.discord.test_surroundings import ask, seen, showing
from tests.loopback.discord import GENERAL, FakeDiscord, payloads
from tests.support.discord_app import answered, connected

REFERENCE = {"message_reference": {"message_id": "1"}}
"""What discord.py cannot read: the reference has no channel."""


def spoiled(discord: FakeDiscord, *messages: str) -> list[Any]:
    """A history of these messages, after others of no shape."""
    whole = [payloads.event(discord.message(message), discord.world) for message in messages]
    return [None, "x", {"id": "x"}, {**whole[0], "id": str(int(messages[0]) - 1), **REFERENCE}, *whole]


async def test_what_was_missed_is_found_beside_them() -> None:
    """Each is told by its kind alone."""
    async with FakeDiscord() as discord:
        engine = await met(discord)
        said = discord.say(GENERAL, f"{MENTION} one")
        discord.fail("history", status=200, body=spoiled(discord, said.id))
        with capture_logs() as log:
            async with connected(discord, engine) as app:
                await answered(discord, app, 1)
        skipped = [line for line in log if line["event"] == "an event is skipped"]
        assert [(line["kind"], line["error"]) for line in skipped] == [("a message of the history", "KeyError")]


async def test_a_question_comes_with_the_lines_beside_them() -> None:
    """The answer does without those."""
    async with FakeDiscord() as discord, connected(discord, showing(5)) as app:
        before = discord.say(GENERAL, "a thought")
        question = await ask(discord, app)
        discord.fail("history", status=200, body=spoiled(discord, before.id))
        assert await seen(app, question) == [("Ann", "a thought")]
