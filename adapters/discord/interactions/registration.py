"""The bot's slash commands as Discord keeps them, written there when they differ. Pure but for `sync`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from adapters.discord.api.client import Rest
from bot.domain.commands import COMMANDS, LONGEST, Command
from bot.domain.errors import PlatformError

CHAT_INPUT, STRING = 1, 3
GUILD_INSTALL = 0
GUILD, BOT_DM = 0, 1
"""Types of Discord's documentation, application commands: what it is and takes, how the app comes there, where it is
offered."""

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
            "options": [_option(command)] if command.argument else [],
        }
        for command in COMMANDS.values()
    ]


def _option(command: Command) -> dict[str, Any]:
    """What may follow the command. Nothing that is false is said: Discord leaves it out of what it gives back."""
    option = {"type": STRING, "name": command.argument, "description": command.description}
    if command.values:
        return {**option, "choices": [{"name": value, "value": value} for value in command.values]}
    option["max_length"] = LONGEST
    return {**option, "autocomplete": True} if command.suggests else option


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
    if not isinstance(known, list) or not all(isinstance(there, dict) for there in known):
        return False
    wanted = {command["name"]: command for command in payload()}
    return len(known) == len(wanted) and all(_bare(there) == wanted.get(there.get("name")) for there in known)


def _bare(there: Mapping[str, Any]) -> dict[str, Any]:
    """A command as Discord gives it, without all that `payload` does not say."""
    options = [_trim(option) for option in there.get("options") or () if isinstance(option, dict)]
    return {**{key: there.get(key) for key in payload()[0]}, "options": options}


def _trim(option: Mapping[str, Any]) -> dict[str, Any]:
    """An option, and its choices, without what is empty."""
    kept = {key: value for key, value in option.items() if value}
    return {**kept, "choices": [_trim(choice) for choice in kept["choices"]]} if "choices" in kept else kept
