"""Slash commands and buttons: acknowledged at once, answered to the one person alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import discord
import structlog

from adapters.discord.form import pressed
from adapters.discord.incoming import locate
from bot.commands import COMMANDS
from bot.engine import Engine
from bot.errors import StorageError
from bot.health import Host
from bot.messages import Author
from bot.notes import STORAGE

RESTARTING = "I am being restarted. Please try again in a minute."
LOST = (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError)

log = structlog.get_logger(__name__)


class Interactions:
    """Answers what people do with the bot's commands and buttons; `admins` are ids of users."""

    def __init__(self, engine: Engine, host: Host, admins: frozenset[str]) -> None:
        self._engine = engine
        self._host = host
        self._admins = admins

    async def take(self, interaction: discord.Interaction) -> None:
        """Answer one interaction; Discord wants to hear of it within three seconds, so that comes first."""
        data: Mapping[str, Any] = dict(interaction.data or {})
        if interaction.type is discord.InteractionType.application_command:
            await self._command(interaction, str(data.get("name")))
        elif interaction.type is discord.InteractionType.component:
            await self._press(interaction, str(data.get("custom_id")))

    async def _command(self, interaction: discord.Interaction, name: str) -> None:
        await _acknowledge(interaction)
        if name not in COMMANDS or interaction.channel_id is None:
            name = "help"
        author = _author(interaction)
        place = locate(interaction.channel_id or 0, interaction.guild_id is None)
        admin = author.id in self._admins
        said = await self._told(lambda: self._engine.command(name, place, author, admin))
        try:
            await interaction.edit_original_response(content=said)
        except LOST as error:
            log.warning("a command's answer could not be shown", command=name, error=type(error).__name__)

    async def _press(self, interaction: discord.Interaction, custom_id: str) -> None:
        await _acknowledge(interaction)
        press = pressed(custom_id)
        if press is None:
            return
        author = _author(interaction)
        said = await self._told(lambda: self._engine.press(*press, author, author.id in self._admins))
        if not said:
            return
        try:
            await interaction.followup.send(said, ephemeral=True)
        except LOST as error:
            log.warning("a button's answer could not be shown", error=type(error).__name__)

    async def _told(self, do: Callable[[], Awaitable[str]]) -> str:
        """What came of it, or the sentence for why nothing did."""
        if self._host.closing.is_set():
            return RESTARTING
        try:
            return await do()
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return STORAGE


async def _acknowledge(interaction: discord.Interaction) -> None:
    """Say that it was heard; what comes of it does not hang on that."""
    try:
        if interaction.type is discord.InteractionType.component:
            await interaction.response.defer()
        else:
            await interaction.response.defer(ephemeral=True, thinking=True)
    except LOST as error:
        log.warning("an interaction could not be acknowledged", error=type(error).__name__)


def _author(interaction: discord.Interaction) -> Author:
    return Author(str(interaction.user.id), interaction.user.display_name)
