"""Who the bot is, what it may read, who owns it: asked before anything relies on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.discord.api.client import Rest
from adapters.discord.api.errors import UNAUTHORIZED, number
from adapters.discord.settings import PORTAL, TOKEN
from bot.domain.errors import PlatformError, PlatformFault, SettingsError

MESSAGE_CONTENT = 1 << 18 | 1 << 19
"""Flags of an application that has the intent, verified or in few servers (documentation, application flags)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The bot and its application.

    `reads` says that the message content intent is granted to it; `servers` is about how many it is in.
    """

    application: str
    user: str
    name: str
    reads: bool
    owners: frozenset[str]
    servers: int


async def introduce(rest: Rest) -> Identity:
    """Who the token is. Raises SettingsError for a dead one, PlatformError where Discord does not answer."""
    user, application = await ask(rest, "/users/@me"), await ask(rest, "/oauth2/applications/@me")
    team, owner = application.get("team") or {}, application.get("owner") or {}
    people = [member.get("user") or {} for member in team.get("members") or ()] or [owner]
    return Identity(
        application=str(application["id"]),
        user=str(user["id"]),
        name=str(user.get("username") or ""),
        reads=bool(int(application.get("flags") or 0) & MESSAGE_CONTENT),
        owners=frozenset(str(person["id"]) for person in people if person.get("id")),
        servers=int(application.get("approximate_guild_count") or 0),
    )


async def ask(rest: Rest, path: str) -> Any:
    """GET what has an object for an answer. Raises SettingsError for a token that Discord does not know."""
    try:
        answer = await rest.call("GET", path)
    except PlatformError as error:
        if str(error) == "HTTP 401" or number(error) == UNAUTHORIZED:
            raise refused() from None
        raise
    if not isinstance(answer, dict):
        raise PlatformError(PlatformFault.NETWORK, "Discord's answer cannot be read")
    return answer


def refused() -> SettingsError:
    """What is said of a token that does not log in."""
    return SettingsError(f"{TOKEN}: Discord refuses it. Reset the token on the Bot page of {PORTAL} and copy it anew.")
