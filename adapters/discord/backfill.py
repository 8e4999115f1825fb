"""What was said while the bot was away: read from Discord's history, slowly, and taken like everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any

import discord
import structlog
from discord.utils import time_snowflake, utcnow

from adapters.discord.api.client import Rest
from adapters.discord.inbound.events import read_message
from adapters.shared.unreadable import UNREADABLE, log_skipped
from bot.domain.errors import PlatformError, PlatformFault, StorageError
from bot.domain.ports import Memory

PREFIX = "discord:"
DIRECT = 1
"""The type of a direct message's channel (Discord's documentation, channel types)."""
PLACES = 100
"""How many of the latest places of the memory are looked through for direct messages."""
PAGE = 100
"""Messages in one reading, the most that Discord gives."""
PAUSE = 0.2
"""Seconds between two calls: a tenth of what Discord grants a bot, so that answers do not wait for this."""
TRIES = 4
"""How often a call is tried that the network or a limit refused."""

Room = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread | discord.DMChannel
Shared = discord.abc.GuildChannel | discord.Thread
Take = Callable[[discord.Message], Awaitable[None]]
Needs = Callable[[discord.Message], Awaitable[bool]]
log = structlog.get_logger(__name__)


async def _never(_: discord.Message) -> bool:
    return False


class Missed:
    """Looks for messages that no event told of, `seconds` back at most; gives each to `take`, the oldest first.

    A room is a channel, thread or direct message. One whose last message was heard is not asked. Of messages that need
    their author's `roles` Discord is asked for those: its history does not have them.
    """

    def __init__(
        self, client: discord.Client, rest: Rest, memory: Memory, seconds: float, take: Take, roles: Needs = _never
    ) -> None:
        self._client = client
        self._rest = rest
        self._memory = memory
        self._seconds = seconds
        self._take = take
        self._roles = roles
        self._members: dict[tuple[int, str], Any] = {}  # by server and person, while servers are looked through
        self._known: dict[int, int] = {}  # by room, the message up to which everything was heard
        self._whole: set[int] = set()  # the rooms of which this session hears everything
        self._others: set[int] = set()  # places of the memory that are no direct messages
        self._idle = asyncio.Lock()
        self._new: bool | None = None  # None where the memory does not say

    async def begin(self) -> None:
        """A session of the gateway begins. A memory without anything of Discord has missed nothing."""
        self._whole, self._new = set(), None
        try:
            self._new = not await self._memory.places(PREFIX, 1)
        except StorageError as error:
            log.error("the memory failed", error=str(error))

    def hear(self, message: discord.Message) -> None:
        """An event told of this message."""
        if message.channel.id in self._whole:
            self._known[message.channel.id] = message.id

    async def look(self, guilds: Iterable[discord.Guild], direct: bool = False) -> None:
        """Look through servers, and through the direct messages that the memory knows."""
        whole = self._whole
        if not self._seconds or self._new is None:
            return
        async with self._idle:
            try:
                for room, last in [found for guild in guilds for found in _rooms(guild)]:
                    await self._catch_up(room, last, whole)
                if direct:
                    async for person, last in self._people():
                        await self._catch_up(person, last, whole)
            except StorageError as error:
                log.error("the memory failed", error=str(error))
            finally:
                self._members.clear()

    async def _catch_up(self, room: Room, last: int, whole: set[int]) -> None:
        """Take what was said in a room since it was heard last; where it cannot be read it stays as unheard."""
        since = max(self._known.get(room.id, 0), time_snowflake(utcnow() - timedelta(seconds=self._seconds)))
        if last > since and not self._new:
            try:
                async for message in self._history(room, since):
                    await self._give(message)
                    last = message.id
            except PlatformError as error:
                log.warning("what was said meanwhile could not be read", channel=room.id, error=str(error))
                return
        self._known[room.id] = max(last, self._known.get(room.id, 0))
        whole.add(room.id)

    async def _give(self, message: discord.Message) -> None:
        """Give a message to `take`; one that it cannot read is skipped, for the others' sake."""
        try:
            await self._take(message)
        except UNREADABLE as error:
            log_skipped("discord", "a message of the history", error)

    async def _history(self, room: Room, after: int) -> AsyncIterator[discord.Message]:
        """The messages of a room after one, the oldest first. Raises PlatformError."""
        while True:
            page = await self._ask(f"/channels/{room.id}/messages?after={after}&limit={PAGE}") or []
            known = [data for data in page if isinstance(data, dict) and str(data.get("id")).isdecimal()]
            for data in sorted(known, key=lambda data: int(data["id"])):
                after = int(data["id"])
                if message := await self._read(room, data):
                    yield message
            if len(page) < PAGE or not known:
                return

    async def _read(self, room: Room, data: Any) -> discord.Message | None:
        """A message; None where it, or what its author may, cannot be had, which others must not suffer from."""
        message = read_message(self._client, room, data)
        if message is None or not room.guild or not await self._roles(message):
            return message
        try:
            member = await self._member(room.guild.id, str(message.author.id))
        except PlatformError as error:
            if error.fault in (PlatformFault.RATE, PlatformFault.NETWORK):
                raise
            log.warning("a message is left out: its author's roles are not to be had", error=str(error))
            return None
        if member:
            data["member"] = member
        return read_message(self._client, room, data)

    async def _member(self, guild: int, author: str) -> Any:
        """A person as a member of the server; None for who is none any more."""
        if (guild, author) not in self._members:
            try:
                found = await self._ask(f"/guilds/{guild}/members/{author}")
            except PlatformError as error:
                if error.fault is not PlatformFault.GONE:
                    raise
                found = None
            self._members[guild, author] = found
        return self._members[guild, author]

    async def _people(self) -> AsyncIterator[tuple[Room, int]]:
        """The direct messages that the memory knows, each with its last message."""
        ids = [key.removeprefix(PREFIX).partition(":")[0] for key, _ in await self._memory.places(PREFIX, PLACES)]
        for place in dict.fromkeys(map(int, ids)):
            if place in self._others or isinstance(self._client.get_channel(place), Shared):
                continue
            try:
                data: Any = await self._ask(f"/channels/{place}") or {}
            except PlatformError as error:
                log.info("a direct message cannot be read", channel=place, error=str(error))
                continue
            if data.get("type") == DIRECT and self._client.user:
                state = self._client._connection
                yield discord.DMChannel(me=self._client.user, state=state, data=data), _last(data)
            else:
                self._others.add(place)

    async def _ask(self, path: str) -> Any:
        """One call, some time after the one before; tried again where that may help. Raises PlatformError."""
        for left in reversed(range(TRIES)):
            await asyncio.sleep(PAUSE)
            try:
                return await self._rest.call("GET", path)
            except PlatformError as error:
                if error.fault not in (PlatformFault.RATE, PlatformFault.NETWORK) or not left:
                    raise
                await asyncio.sleep(error.retry_after or 2.0 ** (TRIES - left - 1))
        return None


def _rooms(guild: discord.Guild) -> list[tuple[Room, int]]:
    """The rooms of a server that the bot may read back, each with its last message."""
    kinds = guild.text_channels, guild.voice_channels, guild.stage_channels, guild.threads
    return [(room, room.last_message_id or 0) for rooms in kinds for room in rooms if _readable(room)]


def _readable(room: Shared) -> bool:
    if isinstance(room, discord.Thread) and room.parent is None:
        return False
    rights = room.permissions_for(room.guild.me)
    return rights.view_channel and rights.read_message_history


def _last(data: Any) -> int:
    return int(data.get("last_message_id") or 0)
