"""The bot's slash commands as Discord keeps them, written there when they differ. Pure but for `sync`."""

from __future__ import annotations

from typing import Any

import structlog

from adapters.discord.rest import Rest
from bot.commands import COMMANDS
from bot.errors import PlatformError

CHAT_INPUT = 1
GUILD_INSTALL = 0
GUILD, BOT_DM = 0, 1
"""Types of Discord's documentation, application commands: what it is, how the app comes there, where it is offered."""

log = structlog.get_logger(__name__)


def payload() -> list[dict[str, Any]]:
    """The commands: in servers that the bot is in, and in its direct messages."""
    return [
        {
            "name": command.name,
            "description": command.summary,
            "type": CHAT_INPUT,
            "contexts": [GUILD, BOT_DM],
            "integration_types": [GUILD_INSTALL],
        }
        for command in COMMANDS.values()
    ]


async def sync(rest: Rest, application: str) -> None:
    """Make the application have these commands; a failure is logged, for the bot answers without them too."""
    path = f"/applications/{application}/commands"
    try:
        if not _same(await _known(rest, path)):
            await rest.call("PUT", path, payload())
            log.info("slash commands are registered", commands=list(COMMANDS))
    except PlatformError as error:
        log.warning("the slash commands could not be registered", error=str(error))


async def _known(rest: Rest, path: str) -> Any:
    """The commands that are there; None where that cannot be told."""
    try:
        return await rest.call("GET", path)
    except PlatformError:
        return None


def _same(known: Any) -> bool:
    if not isinstance(known, list):
        return False
    wanted = {command["name"]: command for command in payload()}
    return len(known) == len(wanted) and all(
        {key: there.get(key) for key in command} == command
        for there in known
        if (command := wanted.get(str(there.get("name")), {"name": None}))
    )
