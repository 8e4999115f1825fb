"""The gateway's end: discord.py connects and reconnects; what it hears becomes turns, commands and presses."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import discord
import structlog

from adapters.discord.channel import DiscordChannel
from adapters.discord.commands import sync
from adapters.discord.incoming import follows, incoming, locate, spoken, unreadable
from adapters.discord.interactions import Interactions
from adapters.discord.login import Identity
from adapters.discord.rest import Rest
from adapters.discord.settings import Settings
from bot.engine import Engine
from bot.errors import PlatformError, StorageError
from bot.health import Host
from bot.messages import Incoming, Page, State
from bot.ports import Answer

UNREADABLE = "That mentions my role, and I may not read such a message. Please mention me myself: <@{}>."

log = structlog.get_logger(__name__)


class Client(discord.Client):
    """One connection to the gateway; only what is told to the bot is read."""

    def __init__(self, engine: Engine, settings: Settings, host: Host, rest: Rest, me: Identity) -> None:
        super().__init__(
            intents=_intents(me),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.0,
        )
        self._engine = engine
        self._settings = settings
        self._host = host
        self._status = host.status("discord")
        self._rest = rest
        self._me = me
        self._interactions = Interactions(engine, host, me.owners | set(settings.admins))
        self._served = False
        self._tasks: set[asyncio.Task[Any]] = set()

    def open(self, question: Incoming) -> DiscordChannel:
        """The channel that a question is answered in."""
        return DiscordChannel(self._rest, self._settings, question.channel_id, question.message_id)

    async def drain(self) -> None:
        """Cancel what is still being done and wait until it is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def setup_hook(self) -> None:
        """Called after the login, before the gateway."""
        await sync(self._rest, self._me.application)

    async def on_connect(self) -> None:
        """The gateway knows the bot; the first time, the engine learns that it can write here."""
        self._up()
        if not self._served:
            self._served = True
            self._engine.serve("discord", self.open)

    async def on_resumed(self) -> None:
        """The connection is back."""
        self._up()

    async def on_disconnect(self) -> None:
        """The connection is lost; discord.py begins another."""
        if self._status.ready:
            log.warning("discord is disconnected")
        self._status.down("the connection is lost; connecting again")

    async def on_message(self, message: discord.Message) -> None:
        """Somebody said something, maybe to the bot."""
        if not self._host.closing.is_set() and spoken(message):
            await self._keep(self._take(message))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Somebody gave a command or pressed a button."""
        await self._keep(self._interactions.take(interaction))

    def _up(self) -> None:
        self._status.up()
        log.info("discord is connected", bot=self._me.name, servers=len(self.guilds))

    async def _keep(self, doing: Coroutine[Any, Any, None]) -> None:
        """Do something that `drain` can end."""
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait((task,))
        if not task.cancelled():
            task.result()

    async def _take(self, message: discord.Message) -> None:
        me = int(self._me.user)
        question = incoming(message, me, follows(message, me) and await self._joined(message))
        if question is None:
            return
        if unreadable(message, me):
            await self._explain(question)
        else:
            await self._engine.respond(question, self.open(question))

    async def _joined(self, message: discord.Message) -> bool:
        """Whether the bot takes part in the thread: it opened it, or was asked something there."""
        if not self._settings.thread_follow_ups:
            return False
        if getattr(message.channel, "owner_id", None) == int(self._me.user):
            return True
        try:
            return await self._engine.memory.asked(locate(message.channel.id, direct=False).key)
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return False

    async def _explain(self, question: Incoming) -> None:
        """Say, once, how to reach the bot where its role was mentioned and the text was kept back."""
        try:
            turn = await self._engine.memory.claim(question)
            if turn is None:
                return
            answer = await self._say(question, UNREADABLE.format(self._me.user))
            await self._engine.memory.finish(turn.id, answer)
        except StorageError as error:
            log.error("the memory failed", error=str(error))

    async def _say(self, question: Incoming, text: str) -> Answer:
        try:
            return Answer(text, posts=(await self.open(question).post(Page(text)),))
        except PlatformError as error:
            log.warning("an answer could not be shown", fault=error.fault.value, error=str(error))
            return Answer(text, State.FAILED, fault=error.fault.value)


def _intents(me: Identity) -> discord.Intents:
    """What the gateway shall tell: servers and messages; their text where that is granted, never who is there."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.dm_messages = True
    intents.message_content = me.reads
    return intents
