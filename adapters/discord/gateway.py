"""The gateway's end: discord.py connects and reconnects; what it hears becomes turns, commands and presses."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import discord
import structlog

from adapters.discord.api.client import Rest
from adapters.discord.api.identity import Identity
from adapters.discord.backfill import Missed
from adapters.discord.inbound.audience import spoken
from adapters.discord.inbound.context import Past
from adapters.discord.inbound.events import guard_parsers
from adapters.discord.inbound.messages import home
from adapters.discord.interactions.handler import Interactions
from adapters.discord.interactions.registration import sync
from adapters.discord.listener import Intake
from adapters.discord.settings import Settings
from adapters.shared.unreadable import log_skipped
from bot.engine import Engine
from bot.runtime.health import Host

GOODBYE = 3.0
"""Seconds for ending what is being done, and again for closing: a gateway that is gone does not answer."""
PATIENCE = 120.0
"""Seconds that discord.py may take to connect again: its own pauses grow to a quarter of an hour."""
ARRIVAL = 1.0
"""Seconds after the log-in in which the gateway tells of most servers; the others are looked through one by one."""

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
        guard_parsers(self._connection.parsers)
        self._engine = engine
        self._host = host
        self._status = host.status("discord")
        self._rest = rest
        self._me = me
        self._interactions = Interactions(engine, host, me.owners | set(settings.admins))
        past = Past(self, rest, int(me.user), engine.settings.around)
        self._intake = Intake(engine, settings, rest, me, host.closing, past)
        catch_up, take, roles = settings.catch_up, self._intake.recover, self._intake.by_role
        self._missed = Missed(self, rest, engine.memory, catch_up, take, roles)
        self._arrived = False
        self._served = False
        self._limit = asyncio.timeout(PATIENCE)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._short: set[asyncio.Task[Any]] = set()  # those that end soon by themselves

    async def drain(self) -> None:
        """Let commands and changes of messages be done, `GOODBYE` seconds at most; cancel the rest. No answer ends."""
        await self._settle()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def connect(self, *, reconnect: bool = True) -> None:
        """Hold the connection; discord.py connects again where it is lost.

        Raises TimeoutError once it has stayed away for `PATIENCE` seconds, beside what discord.py raises.
        """
        self._limit = asyncio.timeout(PATIENCE)
        async with self._limit:
            await super().connect(reconnect=reconnect)

    async def close(self) -> None:
        """Close the connection, which discord.py does by itself where it gives up, and commands are answered over."""
        await self._settle()
        await super().close()

    async def _settle(self) -> None:
        if self._short:
            await asyncio.wait(self._short, timeout=GOODBYE)

    async def setup_hook(self) -> None:
        """Called after the login, before the gateway."""
        await sync(self._rest, self._me.application)

    async def on_connect(self) -> None:
        """The gateway knows the bot; the first time, the engine learns that it can write here."""
        self._up()
        if not self._served:
            self._served = True
            self._engine.register_platform("discord", self._intake.open)
        await self._keep(self._catch_up())

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """The gateway tells of a server."""
        if self._arrived:
            await self._keep(self._missed.look([guild]))

    async def on_resumed(self) -> None:
        """The connection is back."""
        self._up()

    async def on_disconnect(self) -> None:
        """The connection is lost; discord.py begins another."""
        if self._status.ready:
            log.warning("discord is disconnected")
            self._expect(PATIENCE)
        self._status.down("the connection is lost; connecting again")

    async def on_message(self, message: discord.Message) -> None:
        """Somebody said something, maybe to the bot."""
        self._missed.hear(message)
        if spoken(message, self._engine.access.bots):
            await self._keep(self._intake.take(message))

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """A message changed, perhaps by its author."""
        if spoken(event.message, self._engine.access.bots):
            await self._keep(self._intake.amend(event), short=True)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Somebody deleted a message."""
        gone, channel = [event.message_id], event.channel_id
        await self._keep(self._intake.retract(channel, gone, self._home(channel)), short=True)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Somebody deleted many messages at once."""
        gone, channel = sorted(event.message_ids), event.channel_id
        await self._keep(self._intake.retract(channel, gone, self._home(channel)), short=True)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Somebody gave a command or pressed a button."""
        await self._keep(self._interactions.take(interaction), short=True)

    async def on_error(self, event: str, /, *_: Any, **__: Any) -> None:
        """What was heard could not be taken in."""
        if error := sys.exception():
            log_skipped("discord", event.removeprefix("on_").upper(), error)

    def _home(self, channel: int) -> int:
        """The channel of a thread of the bot's own; 0 for everything else."""
        where = self.get_channel(channel)
        return home(where) if getattr(where, "owner_id", None) == int(self._me.user) else 0

    async def _catch_up(self) -> None:
        """Look for what was said before this session."""
        self._arrived = False
        await self._missed.begin()
        await asyncio.sleep(ARRIVAL)
        self._arrived = True
        await self._missed.look(self.guilds, direct=True)

    def _up(self) -> None:
        self._status.up()
        self._expect(None)
        log.info("discord is connected", bot=self._me.name, servers=len(self.guilds))

    def _expect(self, seconds: float | None) -> None:
        """Give the connection so much time to come back, or all."""
        with suppress(RuntimeError):  # it was given up
            self._limit.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

    async def _keep(self, doing: Coroutine[Any, Any, None], short: bool = False) -> None:
        """Do something that `drain` can end; it waits for what is `short`."""
        task = asyncio.create_task(doing)
        for tasks in (self._tasks, self._short) if short else (self._tasks,):
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.wait((task,))
        if not task.cancelled():
            task.result()


def _intents(me: Identity) -> discord.Intents:
    """What the gateway shall tell: servers and messages; their text where that is granted, never who is there."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.dm_messages = True
    intents.message_content = me.reads
    return intents
