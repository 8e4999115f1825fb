"""What people say to the bot, change and take away, given to the engine."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import discord
import structlog

from adapters.discord.api.client import Rest
from adapters.discord.api.identity import Identity
from adapters.discord.api.permissions import Permissions
from adapters.discord.inbound.audience import find_audience, replies_to, says, spoken, unreadable
from adapters.discord.inbound.context import Past
from adapters.discord.inbound.messages import describe, home, incoming, locate
from adapters.discord.outbound.channel import DiscordChannel
from adapters.discord.outbound.dms import Direct
from adapters.discord.outbound.thread import title
from adapters.discord.settings import PORTAL, Settings
from bot.domain.audience import Audience, is_for_bot
from bot.domain.errors import PlatformError, StorageError
from bot.domain.messages import Incoming, Page, State
from bot.domain.records import Answer
from bot.engine import Engine

UNREADABLE = "That mentions my role, and I may not read such a message. Please mention me myself: <@{}>."
KEPT_BACK = (
    "But I cannot read what does not mention me: the Message Content Intent is off. My owner can switch it on at "
    f"<{PORTAL}> and start me again."
)
"""What follows on `/listen on` where Discord keeps back what is not said to the bot."""
EDITS = 1000
"""Messages whose last edit is remembered."""

log = structlog.get_logger(__name__)


class Intake:
    """Decides what is for the bot. After `closing` nothing new is taken; the record still follows the platform."""

    def __init__(
        self, engine: Engine, settings: Settings, rest: Rest, me: Identity, closing: asyncio.Event, past: Past
    ) -> None:
        self._engine = engine
        self._permissions = Permissions(past.client)
        self._past = past
        self._settings = settings
        self._rest = rest
        self._direct = Direct(rest)
        self._me = int(me.user)
        self._admins = me.owners | set(settings.admins)
        self._bots = engine.access.bots
        self._names = engine.settings.names
        engine.listening.hindrances["discord"] = "" if me.reads else KEPT_BACK
        self._closing = closing
        self._edits: OrderedDict[int, str] = OrderedDict()

    def open(self, question: Incoming, deep: bool = True) -> DiscordChannel:
        """The channel that a question is answered in; `deep` is true for one that replies to somebody else."""
        return DiscordChannel(
            self._rest,
            self._settings,
            question.channel_id,
            question.message_id,
            people=(question.author, *question.people),
            title=title(question),
            past=self._past if deep else replace(self._past, deep=False),
            direct=self._direct,
            permissions=self._permissions,
        )

    async def take(self, message: discord.Message) -> None:
        """Answer a message, if it is for the bot; returns when it is answered."""
        question = await self._question(message)
        if question and unreadable(message, self._me):
            await self._explain(question)
        elif question:
            await self._engine.respond(question, self.open(question, replies_to(message) not in (0, self._me)))

    async def recover(self, message: discord.Message) -> None:
        """Begin to answer a message that was missed; returns when it is on record. Raises StorageError."""
        question = await self._question(message, late=True)
        if question and unreadable(message, self._me):
            await self._explain(question)
        elif question:
            question = replace(question, late=True)
            await self._engine.submit(question, self.open(question, replies_to(message) not in (0, self._me)))

    async def by_role(self, message: discord.Message) -> bool:
        """Whether a message that was missed is for the bot, and a list may name a role of its author."""
        lists = self._engine.access
        return bool(lists.allow_people or lists.block) and await self._is_for_bot(message, late=True)

    async def amend(self, event: discord.RawMessageUpdateEvent) -> None:
        """Take in that somebody edited a message, which may be for the bot no more.

        Where Discord keeps the new text back, as nobody mentions the bot now, the old one is forgotten.
        """
        message = event.message
        mine = message.author.id == self._me
        if mine or not self._edited(message.id, event.data) or not spoken(message, self._bots):
            return
        question = describe(message, self._me, self._admins, self._names)
        try:
            if says(message):
                await self._engine.message_edited(question, anew=not self._closing.is_set())
            else:
                await self._engine.message_deleted("discord", question.channel_id, question.message_id)
        except StorageError as error:
            log.error("the memory failed", error=str(error))

    async def retract(self, channel: int, messages: Iterable[int], home: int = 0) -> None:
        """Take in that somebody deleted messages: the bot's own deletions change nothing.

        `home` is the channel of a thread: what answers a question from there is on record under that one's channel.
        """
        others = [str(message) for message in messages if str(message) not in self._rest.gone]
        self._rest.gone.extend(others)
        try:
            for message in others:
                for where in filter(None, (channel, home)):
                    await self._engine.message_deleted("discord", str(where), message)
        except StorageError as error:
            log.error("the memory failed", error=str(error))

    async def _question(self, message: discord.Message, late: bool = False) -> Incoming | None:
        """The message as the engine wants it; None where it is not for the bot, was deleted, or comes too late."""
        if self._closing.is_set() or not await self._is_for_bot(message, late) or str(message.id) in self._rest.gone:
            return None
        threads = self._settings.reply_in == "thread"
        return incoming(message, self._me, True, threads, self._bots, self._admins, self._names)

    async def _is_for_bot(self, message: discord.Message, late: bool) -> bool:
        """Whether it is to be answered: said to the bot, or to nobody in particular where the bot answers that.

        `late` says that it was missed.
        """
        audience = find_audience(message, self._me, self._names, self._bots)
        return is_for_bot(audience, audience is Audience.ANYBODY and await self._answers_unasked(message, late))

    async def _answers_unasked(self, message: discord.Message, late: bool) -> bool:
        """Whether the bot answers there without being addressed: everywhere in the channel, or in this thread."""
        place = locate(message.channel.id, direct=False, home=home(message.channel))
        try:
            sent = message.created_at.timestamp() if late else math.inf
            return await self._engine.listening.answers_all(place, sent) or await self._joined(message.channel)
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return False

    def _edited(self, message: int, data: Any) -> bool:
        """Whether its author changed it: previews and pins come as the same event, with the time of before."""
        stamp = data.get("edited_timestamp")
        if not stamp or self._edits.get(message) == stamp:
            return False
        self._edits[message] = stamp
        if len(self._edits) > EDITS:
            self._edits.popitem(last=False)
        return True

    async def _joined(self, where: discord.abc.Messageable) -> bool:
        """Whether it is a thread that the bot takes part in: it opened it, or was asked there. Raises StorageError."""
        if not self._settings.thread_follow_ups or not isinstance(where, discord.Thread):
            return False
        return where.owner_id == self._me or await self._engine.memory.asked(locate(where.id, direct=False).key)

    async def _explain(self, question: Incoming) -> None:
        """Say, once, how to reach the bot where its role was mentioned and the text was kept back."""
        try:
            if not await self._engine.admit(question, self.open(question)):
                return
            turn = await self._engine.memory.claim(question)
            if turn is None:
                return
            answer = await self._say(question, UNREADABLE.format(self._me))
            await self._engine.memory.finish(turn.id, answer)
        except StorageError as error:
            log.error("the memory failed", error=str(error))

    async def _say(self, question: Incoming, text: str) -> Answer:
        try:
            return Answer(text, posts=(await self.open(question).post(Page(text)),))
        except PlatformError as error:
            log.warning("an answer could not be shown", fault=error.fault.value, error=str(error))
            return Answer(text, State.FAILED, fault=error.fault.value)
