"""[discord]: the token, and how the bot behaves there."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator

from bot.config.base import Section

PORTAL = "https://discord.com/developers/applications"
TOKEN = "discord.token (DISCORD_BOT_TOKEN)"  # noqa: S105
"""What the token is called in sentences for the operator."""


class Settings(Section):
    """[discord]: Discord."""

    token: SecretStr = Field(
        SecretStr(""),
        description="The bot's token; without it Discord is off.",
        json_schema_extra={"env": "DISCORD_BOT_TOKEN"},
    )
    api_base_url: str = Field(
        "https://discord.com/api/v10",
        pattern="^https?://[^/]+",
        description="Where the REST API is: another for a proxy.",
    )
    gateway_url: str = Field(
        "", pattern="^(wss?://[^/]+.*)?$", description="Where the gateway is; empty: where the platform says."
    )
    admins: tuple[str, ...] = Field(
        (),
        description="Ids of people who may stop and repeat everybody's answers, and are told of trouble in a direct "
        "message; so are and may the application's owners.",
    )
    ping_asker: bool = Field(True, description="Let an answer notify the person who asked; it never notifies others.")
    thread_follow_ups: bool = Field(
        True,
        description="Answer in a thread where the bot takes part without being mentioned again; "
        "needs the message content intent.",
    )
    catch_up: int = Field(
        900,
        ge=0,
        le=86_400,
        description="How many seconds back to look, when it connects, for questions that were asked while it was "
        "away; 0 looks for none.",
    )
    reply_in: Literal["channel", "thread"] = Field(
        "channel",
        description="Where a mention in a text channel is answered: channel, as a reply there, or thread, in a thread "
        "that is opened from the question and is a conversation of its own.",
    )
    table_width: int = Field(
        44, ge=20, le=200, description="Columns of a table; a wider one, too wide for a phone, is shown as a list."
    )

    @field_validator("admins", mode="before")
    @classmethod
    def _spell(cls, ids: Any) -> Any:
        """An id may be written as a number too."""
        return [str(one) if isinstance(one, int) else one for one in ids] if isinstance(ids, list | tuple) else ids

    @field_validator("admins")
    @classmethod
    def _look(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        if any(not one.isdecimal() for one in ids):
            raise ValueError("an id is a number; switch Developer Mode on and choose Copy User ID on the person")
        return ids

    @property
    def enabled(self) -> bool:
        """Whether Discord is on: a token is there."""
        return bool(self.token.get_secret_value().strip())
