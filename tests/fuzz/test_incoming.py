"""Payloads of the platforms, mutated: a message for the engine or none, and no other error than the library's own."""

from __future__ import annotations

import contextlib
from typing import Any

import discord
from hypothesis import given

from adapters.discord.inbound.audience import unreadable
from adapters.discord.inbound.messages import incoming as hear_discord
from adapters.slack.api.identity import Identity
from adapters.slack.inbound.edits import changed, deleted
from adapters.slack.inbound.messages import Spoken, incoming, spoken
from bot.domain.messages import Incoming
from tests.adapters.discord.test_embeds import ALERT, BUTTONS, POLL
from tests.fuzz.mutation import mutated, recorded
from tests.support.discord_app import Heard
from tests.support.tries import tries

ME = Identity("T00FAKE00AA", "U00FAKEBOT01", "B00FAKEBOT01", "bot", "acme")
EVENTS = recorded("slack", "event")
CHANGED = [
    {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "message": event,
        "previous_message": {"text": "x"},
    }
    for event in EVENTS
]
GONE = [{"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "1.2"}]
BODIES = [
    {"type": "event_callback", "team_id": "T1", "authorizations": [{"team_id": "T1"}], "event": event}
    for event in (*EVENTS, *CHANGED, *GONE)
]
SPOKEN = recorded("discord-messages", "data")
SPOKEN.append(
    {
        **SPOKEN[0],
        "embeds": [ALERT],
        "components": [{"type": 17, "id": 1, "components": [{"type": 10, "id": 2, "content": "text"}, BUTTONS]}],
        "poll": POLL,
        "sticker_items": [{"id": "1", "name": "wave", "format_type": 1}],
    }
)

BOT = 1457469483726668048
"""The bot that the recorded messages are for."""
WHOLE = ("author", "mentions", "role_mentions")
"""What discord.py leaves out of its message where Discord, against its documentation, left it out."""


def sound(question: Incoming | None) -> None:
    """Assert that a question is one: every text is a text."""
    if question is None:
        return
    assert all(isinstance(part, str) for part in (question.text, question.quote, question.channel_id))
    assert all(isinstance(part, str) for part in (question.author.id, question.author.name, question.message_id))
    assert isinstance(question.sent, float)
    for file in question.attachments:
        assert (type(file.name), type(file.media_type), type(file.size), type(file.url)) == (str, str, int, str)


def read(said: Spoken | None) -> None:
    """Take what was said for a question."""
    if said:
        assert all(isinstance(user, str) for user in said.people)
        sound(incoming(said, ME, {}, unasked=True))


@tries(200)
@given(mutated(BODIES))
def test_slack_s_events_are_messages_or_nothing(body: dict[str, Any]) -> None:
    """New ones, changed and deleted ones."""
    read(spoken(body, ME))
    read(changed(body, ME))
    deleted(body)


@tries(200)
@given(mutated(SPOKEN, kinds=True))
def test_discord_s_messages_are_questions_or_nothing(data: dict[str, Any]) -> None:
    """What discord.py makes a whole message of, with whatever people wrote; the kinds of values are Discord's."""
    gateway, message = Heard(), None
    with contextlib.suppress(Exception):
        message = gateway.read(data)
    if isinstance(message, discord.Message) and all(hasattr(message, name) for name in WHOLE):
        sound(hear_discord(message, BOT, unasked=True, threads=True))
        unreadable(message, BOT)
