"""Finding a post whose answer was lost on its way: it may stand there all the same."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

from adapters.slack.calls import call
from adapters.slack.workspace import Workspace
from bot.errors import PlatformError

NEWEST = 100
"""How many messages are looked through."""


@dataclass(frozen=True, slots=True)
class Search:
    """Looks through what was said since a question; `thread` is empty in a direct message outside of a thread."""

    workspace: Workspace
    channel: str
    thread: str
    question: str

    async def find(self, text: str, known: Set[str]) -> str:
        """The `ts` of the bot's message with this text beside its blocks, none of the known ones; empty without one.

        Empty, too, where the bot may not read there.
        """
        client = self.workspace.client
        try:
            if self.thread:
                answer = await call(
                    client.conversations_replies(
                        channel=self.channel, ts=self.thread, oldest=self.question, limit=NEWEST
                    )
                )
            else:
                answer = await call(
                    client.conversations_history(channel=self.channel, oldest=self.question, limit=NEWEST)
                )
        except PlatformError:
            return ""
        for message in answer.get("messages") or ():
            own = message.get("user") == self.workspace.me.user and message["ts"] not in known
            if own and _letters(message.get("text") or "") == _letters(text):
                return str(message["ts"])
        return ""


def _letters(text: str) -> str:
    """What is compared: Slack may mark links and escape signs."""
    return re.sub(r"&[a-z]+;|\W", "", text)
