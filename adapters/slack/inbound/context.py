"""What was said around a question: the thread that it was asked in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from adapters.shared.quotes import clip, plain
from adapters.slack.api.workspace import Workspace
from adapters.slack.inbound import mrkdwn
from adapters.slack.inbound.history import Entry, History
from adapters.slack.inbound.message_text import by_app, read_message, read_words
from adapters.slack.inbound.messages import SPOKEN, is_direct, thread_of
from adapters.slack.inbound.users import People
from bot.domain.commands import match
from bot.domain.errors import PlatformError
from bot.domain.messages import Incoming, Quote

PATIENCE = 3.0
"""Seconds that an answer waits for what was said; `People` adds its own for the names."""
BOTS = "bot_message"
"""The subtype of what old apps say."""
SCOPES = ({"channels:history", "groups:history", "mpim:history"}, {"im:history"})
"""Of which one is needed to read threads: in channels, and in direct messages."""

log = structlog.get_logger(__name__)


class Past:
    """Looks around a question, with two calls at most; shows `most` messages of what it finds, 0 for none."""

    def __init__(self, workspace: Workspace, people: People, most: int) -> None:
        self._workspace = workspace
        self._history = History(workspace, workspace.looks)
        self._people = people
        self._most = most

    async def around(self, incoming: Incoming, first: bool) -> Sequence[Quote]:
        """As the port says, of a thread that began before the bot was asked there; what cannot be read is left out."""
        channel, thread = incoming.channel_id, thread_of(incoming)
        begun = first and thread and thread != incoming.message_id
        if not (self._most and begun and self._may_read(channel)):
            return ()
        try:
            async with asyncio.timeout(PATIENCE):
                entries = await self._history.earlier(channel, thread, incoming.message_id)
        except (PlatformError, TimeoutError) as error:
            log.info("what was said around a question could not be read", error=str(error) or "it took too long")
            return ()
        said = [entry for entry in entries if entry.get("subtype") in (*SPOKEN, BOTS)]
        return await self._quote([*said[:1], *said[1:][-self._most :]], thread)

    def _may_read(self, channel: str) -> bool:
        scopes = self._workspace.scopes
        return not scopes or bool(scopes & SCOPES[is_direct(channel)])

    async def _quote(self, entries: Sequence[Entry], thread: str) -> Sequence[Quote]:
        me = self._workspace.me
        texts = [read_message(entry) for entry in entries]
        users = (str(entry.get("user") or "") for entry in entries)
        asked = filter(None, (*users, *mrkdwn.mentions("\n".join(texts))))
        names = {**await self._people.names(asked), me.user: me.name}
        quotes: list[Quote] = []
        dear: set[int] = set()
        for entry, text in zip(entries, texts, strict=True):
            if not text.strip() or self._commands(entry, names):
                continue
            if entry["ts"] == thread:
                dear.add(len(quotes))
            by = str(entry.get("user") or "")
            quotes.append(Quote(self._speaker(entry, names), mrkdwn.read(text, "", names), by))
        return clip(quotes, self._most, dear)

    def _commands(self, entry: Entry, names: Mapping[str, str]) -> bool:
        """Whether it is a command to the bot; what an app says is none."""
        me, text = self._workspace.me.user, read_words(entry)
        return not by_app(entry) and bool(match(mrkdwn.read(text, me, names), bare=me in mrkdwn.mentions(text)))

    def _speaker(self, entry: Entry, names: Mapping[str, str]) -> str:
        """Who said it: the bot by its own name, apps by the one that they show, people by what they are called."""
        me, user = self._workspace.me, str(entry.get("user") or "")
        if user == me.user or (me.bot and entry.get("bot_id") == me.bot):
            return me.name
        shown = (entry.get("username"), (entry.get("bot_profile") or {}).get("name")) if by_app(entry) else ()
        return next((name for given in shown if (name := plain(given or ""))), "") or names.get(user) or user
