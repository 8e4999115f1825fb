"""The bot's commands in Slack's manner: slash commands, a message shortcut, and the pick of a thread in a channel."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol, cast

import aiohttp
import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from adapters.slack.incoming import Identity, is_direct, locate
from adapters.slack.manifest import SHORTCUT
from adapters.slack.picker import ACTION, NOTHING, PICK, rows
from adapters.slack.settings import PARLEY_COMMAND
from bot.commands import match
from bot.engine import Engine
from bot.errors import StorageError
from bot.messages import Author, Place
from bot.notes import STORAGE

RECENT = 10
"""How many threads of a channel are offered, the newest first."""
PICKED = ("reset", "stop")
"""Commands that mean one conversation."""

log = structlog.get_logger(__name__)


class Listing(Protocol):
    """A memory that can tell which places it knows."""

    async def places(self, prefix: str, limit: int) -> list[tuple[str, str]]:
        """(place key, its latest question) of the places whose keys begin so, the newest first."""
        ...


class Commands:
    """Answers commands, each time for the one person alone."""

    def __init__(self, engine: Engine, me: Identity, reset_command: str) -> None:
        self._engine = engine
        self._me = me
        self._reset_command = reset_command

    def register(self, app: AsyncApp) -> None:
        """Have the app call this."""
        app.command(self._reset_command)(self.reset)
        app.command(PARLEY_COMMAND)(self.parley)
        app.shortcut(SHORTCUT)(self.shortcut)
        app.action(ACTION)(self.pick)

    async def reset(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """`/reset`, or what the settings call it."""
        await ack()
        await self._command("reset", body, respond)

    async def parley(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """`/parley <command>`; anything else gets the help."""
        await ack()
        await self._command(match(body.get("text") or "", bare=True) or "help", body, respond)

    async def shortcut(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """Reset the conversation that a message belongs to."""
        await ack()
        message, channel = body["message"], body["channel"]["id"]
        direct = is_direct(channel)
        thread = message.get("thread_ts") or ""
        root = ("" if thread == message["ts"] else thread) if direct else thread or message["ts"]
        await self._run("reset", locate(self._team(body), channel, root, direct), _author(body), respond)

    async def pick(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """A thread was picked: its row names the command, its button the place."""
        await ack()
        action = body["actions"][0]
        place = Place(action["value"], shared=True)
        if place.key.startswith(f"slack:{self._team(body)}:{body['channel']['id']}:"):
            await self._run(action["action_id"].partition(":")[0], place, _author(body), respond)

    async def _command(self, name: str, body: Mapping[str, Any], respond: AsyncRespond) -> None:
        channel = body["channel_id"]
        place = locate(self._team(body), channel, "", is_direct(channel))
        if place.direct or name not in PICKED:
            await self._run(name, place, _author(body), respond)
            return
        threads = await self._told(self._threads(f"{place.key}:"))
        if isinstance(threads, str):
            await tell(respond, threads)
        elif threads:
            await tell(respond, PICK[name], rows(name, threads))
        else:
            await tell(respond, NOTHING.format(bot=self._me.name, command=name))

    async def _threads(self, prefix: str) -> list[tuple[str, str]]:
        return await cast(Listing, self._engine.memory).places(prefix, RECENT)

    async def _run(self, name: str, place: Place, author: Author, respond: AsyncRespond) -> None:
        await tell(respond, await self._told(self._engine.command(name, place, author)))

    async def _told(self, doing: Awaitable[Any]) -> Any:
        """What came of it, or the sentence for a memory that fails."""
        try:
            return await doing
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return STORAGE

    def _team(self, body: Mapping[str, Any]) -> str:
        return body.get("team_id") or (body.get("team") or {}).get("id") or self._me.team


async def tell(respond: AsyncRespond, text: str, blocks: list[dict[str, Any]] | None = None) -> None:
    """Answer the one person; what was shown there before is replaced."""
    try:
        await respond(text, blocks, response_type="ephemeral", replace_original=True)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        log.warning("a command's answer could not be shown", error=type(error).__name__)


def _author(body: Mapping[str, Any]) -> Author:
    """Who gave the command: slash commands say it flat, everything else in a table."""
    user = body.get("user") or {"id": body.get("user_id") or "", "name": body.get("user_name") or ""}
    return Author(user["id"], user.get("name") or user.get("username") or user["id"])
