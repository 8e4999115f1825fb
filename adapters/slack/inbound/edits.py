"""From Slack's event to what was changed or deleted, or None where it is neither. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.api.identity import Identity
from adapters.slack.inbound.message_text import read_words
from adapters.slack.inbound.messages import Spoken, spoken
from adapters.slack.inbound.shape import sound

TOMBSTONE = "tombstone"
"""What becomes of a deleted message that a thread hangs under; Slack calls that a change."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message that is no more."""

    channel: str
    ts: str


def changed(
    body: Mapping[str, Any], me: Identity, bots: Collection[str] = (), in_channel: bool = False
) -> Spoken | None:
    """What a person's message says now; None where its words are the same, as after a preview of a link.

    `bots` and `in_channel` are as for `spoken`.
    """
    body = sound(body)
    event = body.get("event") or {}
    message = event.get("message") or {}
    if event.get("subtype") != "message_changed":
        return None
    before = event.get("previous_message")
    if before is not None and read_words(before) == read_words(message):
        return None
    where = {"type": "message", "channel": event.get("channel"), "channel_type": event.get("channel_type")}
    return spoken({**body, "event": {**message, **where}}, me, bots, in_channel)


def deleted(body: Mapping[str, Any]) -> Deleted | None:
    """Which message was deleted, anybody's."""
    body = sound(body)
    event = body.get("event") or {}
    message = event.get("message") or {}
    ts = ""
    if event.get("subtype") == "message_deleted":
        ts = event.get("deleted_ts") or ""
    elif event.get("subtype") == "message_changed" and message.get("subtype") == TOMBSTONE:
        ts = message.get("ts") or ""
    return Deleted(event["channel"], ts) if ts and event.get("channel") else None
