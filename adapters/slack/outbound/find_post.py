"""Finding a post that nobody wrote down: its answer was lost on its way, or the program was killed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Set
from dataclasses import dataclass
from typing import Any

from adapters.slack.api.calls import call
from adapters.slack.api.workspace import Workspace
from adapters.slack.outbound.buttons import find_turn
from bot.domain.errors import PlatformError, PlatformFault
from bot.pacing.pacer import Pacer

NEWEST = 100
"""How many messages are looked through."""
PASSING = (PlatformFault.RATE, PlatformFault.NETWORK)


@dataclass(frozen=True, slots=True)
class Search:
    """Looks through what was said since a question; `thread` is empty in a direct message outside of a thread."""

    workspace: Workspace
    channel: str
    thread: str
    question: str

    async def find(self, turn: int, text: str, known: Set[str], pacer: Pacer) -> str:
        """The `ts` of the bot's message for this turn, none of the known ones; empty without one.

        Its button says the turn; one without a button is recognised by the text beside its blocks, where there is one.
        Empty, too, where the bot may not read there. Raises PlatformError where it could not be read for now, and tells
        the pacer how long.
        """
        try:
            messages = (await call(self._read(), pacer)).get("messages") or ()
        except PlatformError as error:
            if error.fault in PASSING:
                raise
            return ""
        for message in messages:
            if not isinstance(message, dict) or not isinstance(message.get("ts"), str):
                continue
            if message.get("user") != self.workspace.me.user or message["ts"] in known:
                continue
            said = find_turn(message)
            if said == turn != 0 or (not said and text and _letters(message.get("text") or "") == _letters(text)):
                return str(message["ts"])
        return ""

    def _read(self) -> Awaitable[Any]:
        client, since = self.workspace.client, self.question
        if self.thread:
            return client.conversations_replies(channel=self.channel, ts=self.thread, oldest=since, limit=NEWEST)
        return client.conversations_history(channel=self.channel, oldest=since, limit=NEWEST)


def _letters(text: str) -> str:
    """What is compared: Slack may mark links and escape signs."""
    return re.sub(r"&[a-z]+;|\W", "", text)
