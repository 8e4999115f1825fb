"""What was said around a question: what it replies to, and the lines before it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
import structlog

from adapters.discord.api.client import Rest
from adapters.discord.inbound.audience import SPOKEN
from adapters.discord.inbound.embed_text import read_texts
from adapters.discord.inbound.events import read_message
from adapters.discord.inbound.text import call, read
from adapters.shared.quotes import clip
from bot.domain.commands import match
from bot.domain.errors import PlatformError
from bot.domain.messages import Incoming, Quote

PAGE = 100
"""Messages of one reading, the most that Discord gives."""
CHAIN = 4
"""How many replies up it is followed beyond the message that the question replies to."""
PATIENCE = 2.0
"""Seconds that an answer waits for one of the two readings."""
BY_APPS = (discord.MessageType.chat_input_command, discord.MessageType.context_menu_command)
"""Types of what apps answer to commands."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Past:
    """Looks around a question, with two calls at most; shows `most` messages of what it finds, 0 for none.

    `deep` is false for what replies to nobody, and for a reply to the bot itself: what that answered is remembered.
    """

    client: discord.Client
    rest: Rest
    me: int
    most: int
    deep: bool = True

    async def around(self, incoming: Incoming, first: bool) -> Sequence[Quote]:
        """As the port says; what cannot be read in time is left out."""
        if not self.most or not (first or (self.deep and incoming.quote)):
            return ()
        since = int(incoming.message_id) + 1
        page = await self._ask(incoming, f"/channels/{incoming.channel_id}/messages?before={since}&limit={PAGE}")
        said = {message.id: message for message in page}
        question = said.get(int(incoming.message_id))
        direct = self._former(question, said)
        opening = await self._opening(incoming, page) if first else None
        referred = {one.id: one for one in await self._follow(incoming, direct, said, far=opening is None)}
        if opening:
            referred[opening.id] = opening
        found = {**(said if first else {}), **referred}
        for known in (int(incoming.message_id), direct.id if direct else 0):
            found.pop(known, None)
        return self._quote(incoming, [found[key] for key in sorted(found)], referred)

    async def _follow(
        self, incoming: Incoming, direct: discord.Message | None, said: Mapping[int, discord.Message], far: bool
    ) -> list[discord.Message]:
        """What the message that is replied to replies to, and so on, up to the bot; one is read from `far` away."""
        found: list[discord.Message] = []
        at = direct
        while at and at.author.id != self.me and len(found) < CHAIN:
            former = self._former(at, said)
            if former is None and far and (target := _target(at)):
                far = False
                path = f"/channels/{incoming.channel_id}/messages/{target}"
                former = next(iter(await self._ask(incoming, path)), None)
            if former is None or former.author.id == self.me:
                break
            found.append(former)
            at = former
        return found

    def _former(self, message: discord.Message | None, said: Mapping[int, discord.Message]) -> discord.Message | None:
        """The message that this one replies to, where it was read."""
        if message is None or not (target := _target(message)):
            return None
        resolved = message.reference.resolved if message.reference else None
        return said.get(target) or (resolved if isinstance(resolved, discord.Message) else None)

    async def _opening(self, incoming: Incoming, page: Sequence[discord.Message]) -> discord.Message | None:
        """The message that a thread was opened from: it stands in the channel that the thread is in."""
        home, thread = incoming.place.home.rpartition(":")[2], incoming.channel_id
        if not home or home == thread:
            return None
        for message in page:
            resolved = message.reference.resolved if message.reference else None
            if message.type is discord.MessageType.thread_starter_message and isinstance(resolved, discord.Message):
                return resolved
        return next(iter(await self._ask(incoming, f"/channels/{home}/messages/{thread}")), None)

    def _quote(
        self, incoming: Incoming, messages: Sequence[discord.Message], referred: Mapping[int, discord.Message]
    ) -> Sequence[Quote]:
        names = {person.id: person.name for person in (*incoming.people, incoming.author)}
        quotes: list[Quote] = []
        dear: set[int] = set()
        for message in messages:
            if text := self._words(message):
                dear |= {len(quotes)} if message.id in referred else set()
                by = str(message.author.id)
                quotes.append(Quote(names.get(by) or call(message.author), text, by))
        return clip(quotes, self.most, dear)

    def _words(self, message: discord.Message) -> str:
        """What a message says; empty for notices, commands, and what may not be read."""
        if message.type not in (*SPOKEN, *BY_APPS) or self._commands(message):
            return ""
        texts = read_texts(message, *message.message_snapshots)
        return "\n\n".join(filter(None, (read(text, message, 0) for text in texts)))

    def _commands(self, message: discord.Message) -> bool:
        """Whether it is a command to the bot; what an app says is none."""
        text = read(message.content, message, self.me)
        return not message.author.bot and bool(match(text, bare=self._called(message)))

    def _called(self, message: discord.Message) -> bool:
        return message.guild is None or any(user.id == self.me for user in message.mentions)

    async def _ask(self, incoming: Incoming, path: str) -> list[discord.Message]:
        """The messages that one call brings, none where it fails."""
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self.rest.call("GET", path)
        except (PlatformError, TimeoutError) as error:
            log.info("what was said around a question could not be read", error=str(error) or "it took too long")
            return []
        found = answer if isinstance(answer, list) else [answer]
        return list(self._read(incoming, [data for data in found if isinstance(data, dict)]))

    def _read(self, incoming: Incoming, answer: Sequence[Any]) -> Iterator[discord.Message]:
        channel: Any = self.client.get_channel(int(incoming.channel_id))
        channel = channel or self.client.get_partial_messageable(int(incoming.channel_id))
        for data in answer:
            if message := read_message(self.client, channel, data):
                yield message


def _target(message: discord.Message) -> int:
    """The id of the message that this one replies to; 0 where it replies to none, or only forwards it."""
    reference = message.reference
    if reference is None or reference.type is not discord.MessageReferenceType.reply:
        return 0
    return reference.message_id or 0
