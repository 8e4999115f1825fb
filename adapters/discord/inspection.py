"""Whether Discord is set up right, for `parley check`: the token, what may be read, in how many servers."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.discord.api.client import Rest, connect
from adapters.discord.api.closed_channels import find_closed
from adapters.discord.api.identity import Identity, introduce
from adapters.discord.settings import PORTAL, Settings
from bot.domain.errors import PlatformError, SettingsError
from bot.runtime.health import Check

MOST = 200
"""Servers that Discord lists at once."""
NAMED = 5
LOOKED_THROUGH = 20
"""Servers whose permissions are looked at: three calls each."""
TRY_LATER = "Discord could not be asked: look at the network, then run this again."
CORRECT = "Correct that setting."
SWITCH_ON = f"Switch Message Content Intent on, on the Bot page of {PORTAL}, and start again."
INVITE = "none yet: open the link that `parley invite` prints"


async def inspect(settings: Settings, unaddressed: Sequence[str] = ()) -> list[Check]:
    """The rows for the table: login, message content, servers; `unaddressed` are settings that need that content."""
    async with connect(settings) as rest:
        try:
            me = await introduce(rest)
        except SettingsError as error:
            return [Check("discord login", False, str(error), CORRECT)]
        except PlatformError as error:
            return [Check("discord login", False, f"no answer: {error}", TRY_LATER)]
        login = Check("discord login", True, f"as {me.name} ({me.user})")
        servers = Check("discord servers", True, await _count(rest, me))
        return [login, _weigh(me, unaddressed), servers, await _look_for_obstacles(rest, me)]


def _weigh(me: Identity, unaddressed: Sequence[str]) -> Check:
    """Both ways are right, but for settings that need it; what they mean is said."""
    if me.reads:
        return Check("discord message content", True, "granted: threads need no mention once the bot takes part")
    if unaddressed:
        found = f"not granted: I cannot read what does not mention me, so these do nothing: {', '.join(unaddressed)}"
        return Check("discord message content", False, found, SWITCH_ON)
    found = f"not granted: threads need mentions too. Switch Message Content Intent on at {PORTAL} to change that"
    return Check("discord message content", True, found)


async def _count(rest: Rest, me: Identity) -> str:
    """In how many servers the bot is, and what the first of them are called."""
    try:
        servers = list(await rest.call("GET", f"/users/@me/guilds?limit={MOST}") or ())
    except PlatformError:
        return str(me.servers)
    if not servers:
        return INVITE
    names = ", ".join(str(server.get("name")) for server in servers[:NAMED])
    return f"{len(servers)}{' or more' if len(servers) >= MOST else ''}: {names}{', …' if len(servers) > NAMED else ''}"


async def _look_for_obstacles(rest: Rest, me: Identity) -> Check:
    """Name the channels that the bot sees and cannot write in; there may be good reasons for that."""
    closed: list[str] = []
    try:
        for server in list(await rest.call("GET", f"/users/@me/guilds?limit={MOST}") or ())[:LOOKED_THROUGH]:
            closed += await find_closed(rest, str(server["id"]), me.user)
    except PlatformError as error:
        return Check("discord permissions", True, f"not known: {error}")
    if not closed:
        return Check("discord permissions", True, "it can write in every channel that it sees")
    more = f" and {len(closed) - NAMED} more" if len(closed) > NAMED else ""
    return Check("discord permissions", True, f"it sees and cannot write in {', '.join(closed[:NAMED])}{more}")
