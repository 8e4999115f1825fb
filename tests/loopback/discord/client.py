"""The real client library and a bare HTTP client, for the tests of the loopback Discord itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import discord
import yarl
from discord import app_commands

from tests.loopback.discord.server import FakeDiscord
from tests.loopback.discord.world import GENERAL


class Bot(discord.Client):
    """The real client, which keeps the messages that it hears."""

    def __init__(self, fake: FakeDiscord, content: bool = True) -> None:
        intents = discord.Intents(guilds=True, messages=True, message_content=content, guild_reactions=True)
        super().__init__(intents=intents, guild_ready_timeout=0.05, max_messages=None)
        self.fake = fake
        self.heard: list[discord.Message] = []
        self.edits: list[discord.RawMessageUpdateEvent] = []
        self.deleted: list[discord.RawMessageDeleteEvent] = []
        self.tree = app_commands.CommandTree(self)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Identify again without the pause that the platform asks for."""

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self.fake.change()

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        self.edits.append(event)
        self.fake.change()

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.deleted.append(event)
        self.fake.change()

    async def hear(self, count: int) -> list[discord.Message]:
        """The messages, once there are so many."""
        await self.fake.until(lambda: len(self.heard) >= count)
        return self.heard

    def at(self, channel: str = GENERAL) -> discord.PartialMessageable:
        """A channel to post in."""
        return self.get_partial_messageable(int(channel))


@contextmanager
def pointed(fake: FakeDiscord) -> Iterator[None]:
    """Point discord.py at a Discord."""
    base, gateway = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    discord.http.Route.BASE = fake.api_base_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(fake.gateway_url)
    try:
        yield
    finally:
        discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@asynccontextmanager
async def online(bot: Bot) -> AsyncIterator[Bot]:
    """The client while it is connected and ready."""
    task = asyncio.create_task(bot.start(bot.fake.token))
    try:
        await bot.fake.until(lambda: bot.is_ready() or task.done())
        if task.done():
            task.result()
        yield bot
    finally:
        await bot.close()
        await asyncio.gather(task, return_exceptions=True)


class Caller:
    """Calls routes by hand, for what the client does not wait or does not do."""

    def __init__(self, fake: FakeDiscord, session: aiohttp.ClientSession) -> None:
        self._fake = fake
        self._session = session

    async def __call__(self, method: str, path: str, token: str = "", **body: Any) -> aiohttp.ClientResponse:
        headers = {"Authorization": f"Bot {token or self._fake.token}"}
        answer = await self._session.request(method, self._fake.api_base_url + path, json=body, headers=headers)
        await answer.read()
        return answer

    async def post(self, channel: str = GENERAL, **body: Any) -> aiohttp.ClientResponse:
        """A post."""
        return await self("POST", f"/channels/{channel}/messages", **body)

    async def code(self, method: str, path: str, **body: Any) -> tuple[int, int]:
        """The status and Discord's code."""
        answer = await self(method, path, **body)
        return answer.status, (await answer.json())["code"]
