"""The workspace itself: who is in it, and where they talk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.loopback.slack.rules import SCOPES
from tests.loopback.slack.state import Conversation, Ephemeral

BOT, ANN, BEN = "U0PARLEY", "U0ANN", "U0BEN"
CHANNEL, PRIVATE, GROUP, DM, ELSEWHERE = "C0GENERAL", "C0SECRET", "G0GROUP", "D0ANN", "C0ELSEWHERE"


@dataclass
class Workspace:
    """People, conversations, and what the app was granted; `ranks` is what `users.info` says of some beside.

    `moderated` are words that a rule refuses, each with Slack's error.
    """

    bot_user: str = BOT
    bot_id: str = "B0PARLEY"
    people: dict[str, str] = field(default_factory=lambda: {ANN: "Ann", BEN: "Ben"})
    ranks: dict[str, dict[str, Any]] = field(default_factory=dict)
    moderated: dict[str, str] = field(default_factory=dict)
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    conversations: dict[str, Conversation] = field(default_factory=dict)
    ephemerals: list[Ephemeral] = field(default_factory=list)

    def __post_init__(self) -> None:
        everyone = {self.bot_user, ANN, BEN}
        for conversation in (
            Conversation(CHANNEL, "channel", set(everyone)),
            Conversation(PRIVATE, "group", set(everyone), "secret"),
            Conversation(GROUP, "mpim", set(everyone), "mpdm-ann--ben--parley-1"),
            Conversation(DM, "im", {self.bot_user, ANN}, "ann"),
            Conversation(ELSEWHERE, "channel", {ANN, BEN}, "elsewhere"),
        ):
            self.conversations[conversation.id] = conversation
