"""Slash commands and buttons: acknowledged at once, answered to the one person alone unless it concerns all."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import aiohttp
import discord
import structlog
from discord.app_commands import Choice

from adapters.discord.inbound.messages import home, locate, marks, rules
from adapters.discord.outbound.channel import PAGE
from adapters.discord.outbound.payload import content, pressed
from bot.domain.commands import COMMANDS, PUBLIC
from bot.domain.errors import PlatformError, PlatformFault, StorageError
from bot.domain.messages import Author, Caller, Page, Place
from bot.engine import Engine
from bot.markdown import split
from bot.runtime.health import Host
from bot.texts import STORAGE

RESTARTING = "I am being restarted. Please try again in a minute."
CHOICES, CHOICE = 25, 100
"""How many values are offered for an option, and the characters of one (Discord's documentation, autocomplete)."""
WIDTH = 44
"""Columns of a table: a phone shows them."""
QUICK = 1.0
"""Seconds that may pass before a command is acknowledged, of the three that Discord waits."""
LOST = (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError, RuntimeError)
"""What an answer to an interaction can fail with; RuntimeError is aiohttp's for a session that is closed."""

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
            await self._command(interaction, data)
        elif interaction.type is discord.InteractionType.autocomplete:
            await self._suggest(interaction, data)
        elif interaction.type is discord.InteractionType.component:
            await self._press(interaction, str(data.get("custom_id")))

    async def _command(self, interaction: discord.Interaction, data: Mapping[str, Any]) -> None:
        name, argument = str(data.get("name")), _argument(data)
        if name not in COMMANDS or interaction.channel_id is None:
            name, argument = "help", ""
        caller = self._meet(interaction)
        place = self._engine.place_for(_place(interaction), caller.author)
        changes = (caller.admin or caller.manages) and bool(argument) and name in PUBLIC
        public = (changes or (name == "reset" and place.has_many_speakers)) and await self._done(name, place, caller)
        await _acknowledge(interaction, public)
        said = await self._told(
            lambda: (
                self._engine.export_own_words(place, caller.author, partial(_give, interaction))
                if name == "export"
                else self._engine.run_command(name, place, caller, argument)
            )
        )
        try:
            await _answer(interaction, said, public)
        except LOST as error:
            log.warning("a command's answer could not be shown", command=name, error=_describe(error))

    async def _suggest(self, interaction: discord.Interaction, data: Mapping[str, Any]) -> None:
        """Offer what the option that is being typed could be; Discord takes no value that is cut."""
        found = self._engine.suggest_values(str(data.get("name")), _argument(data))
        choices = [Choice(name=value, value=value) for value in found if len(value) <= CHOICE]
        try:
            await interaction.response.autocomplete(choices[:CHOICES])
        except LOST as error:
            log.warning("suggestions could not be shown", error=_describe(error))

    async def _press(self, interaction: discord.Interaction, custom_id: str) -> None:
        await _acknowledge(interaction)
        press = pressed(custom_id)
        if press is None:
            return
        said = await self._told(lambda: self._engine.press_button(*press, self._meet(interaction)))
        if not said:
            return
        try:
            await interaction.followup.send(said, ephemeral=True)
        except LOST as error:
            log.warning("a button's answer could not be shown", error=_describe(error))

    async def _done(self, name: str, place: Place, caller: Caller) -> bool:
        """Whether a command will be done, so that all are to hear of it: known before Discord has to be answered."""
        try:
            async with asyncio.timeout(QUICK):
                barred = await self._engine.access_denial_text(place, caller)
                return not barred and (name != "reset" or await self._engine.memory.known(place.key))
        except (StorageError, TimeoutError):
            return False

    def _meet(self, interaction: discord.Interaction) -> Caller:
        """Who does it."""
        user = interaction.user
        return Caller(
            Author(str(user.id), user.display_name),
            admin=str(user.id) in self._admins,
            manages=interaction.guild_id is None or rules(interaction.permissions),
            marks=marks(user, interaction.channel, interaction.guild),
        )

    async def _told(self, do: Callable[[], Awaitable[str]]) -> str:
        """What came of it, or the sentence for why nothing did."""
        if self._host.closing.is_set():
            return RESTARTING
        try:
            return await do()
        except StorageError as error:
            log.error("the memory failed", error=str(error))
            return STORAGE


async def _acknowledge(interaction: discord.Interaction, public: bool = False) -> None:
    """Say that it was heard, and who will see the answer; what comes of it does not hang on that."""
    try:
        if interaction.type is discord.InteractionType.component:
            await interaction.response.defer()
        else:
            await interaction.response.defer(ephemeral=not public, thinking=True)
    except LOST as error:
        log.warning("an interaction could not be acknowledged", error=_describe(error))


async def _answer(interaction: discord.Interaction, said: str, public: bool) -> None:
    """Show what came of a command, in as many messages as it needs; the client lets none of them notify anybody."""
    first, *others = split(said, lambda page: len(content(Page(page), WIDTH)), PAGE)[0]
    await interaction.edit_original_response(content=content(Page(first), WIDTH))
    for page in others:
        await interaction.followup.send(content(Page(page), WIDTH), ephemeral=not public)


async def _give(interaction: discord.Interaction, name: str, text: str) -> None:
    """Give the one person a file. Raises PlatformError."""
    try:
        await interaction.followup.send(file=discord.File(io.BytesIO(text.encode()), name), ephemeral=True)
    except LOST as error:
        raise PlatformError(PlatformFault.NETWORK, type(error).__name__) from None


def _argument(data: Mapping[str, Any]) -> str:
    """What was said, or is being typed, behind a command: each has one option at most."""
    return next((str(option.get("value") or "") for option in data.get("options") or ()), "").strip()


def _place(interaction: discord.Interaction) -> Place:
    return locate(interaction.channel_id or 0, interaction.guild_id is None, home(interaction.channel))


def _describe(error: BaseException) -> str:
    """The error's class, with Discord's own code where it gave one; its words may hold what people wrote."""
    code = error.code if isinstance(error, discord.HTTPException) else 0
    return f"{type(error).__name__} {code}" if code else type(error).__name__
