"""What a person sent over HTTP, as the engine takes it (pure but for the fresh ids and the time)."""

from __future__ import annotations

import secrets
import time
import uuid

from pydantic import BaseModel, Field, StrictBool, field_validator

from bot.domain.commands import match
from bot.domain.messages import Author, Incoming, Place

LONGEST = 10_000
"""Characters (code points) of a message."""
SPOKEN = r"[^\s\x1c-\x1f\x85]"
"""What a message has, for those who describe it: something that `str.strip` leaves."""
AUTHOR = Author("web", "you")


class Asked(BaseModel):
    """The body of a POST."""

    message: str = Field(min_length=1, max_length=LONGEST, json_schema_extra={"pattern": SPOKEN})
    conversation_id: str | None = None
    stream: StrictBool | None = None

    @field_validator("message")
    @classmethod
    def _spoken(cls, message: str) -> str:
        if not message.strip():
            raise ValueError("it is blank")
        return message


def begin() -> str:
    """The id of a new conversation: 128 random bits, so that nobody can guess it."""
    return secrets.token_urlsafe(16)


def place(conversation: str) -> Place:
    """Where a conversation is remembered."""
    return Place(f"web:{conversation}")


def incoming(message: str, conversation: str, admin: bool = False) -> Incoming:
    """A message as the engine takes it; each is a new one, however often its text was sent.

    `admin` says that the person runs the bot.
    """
    fresh, now = uuid.uuid4().hex, time.time()
    return Incoming(
        place(conversation), AUTHOR, message, conversation, fresh, command=match(message), sent=now, admin=admin
    )
