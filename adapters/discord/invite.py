"""The link that brings the bot into a server, with the least permissions that it needs."""

from __future__ import annotations

from urllib.parse import urlencode

from adapters.discord.api.client import connect
from adapters.discord.api.identity import introduce
from adapters.discord.settings import PORTAL, TOKEN, Settings
from bot.domain.errors import SettingsError

AUTHORIZE = "https://discord.com/oauth2/authorize"
PERMISSIONS = {
    "add reactions": 1 << 6,
    "view channels": 1 << 10,
    "send messages": 1 << 11,
    "attach files": 1 << 15,
    "read message history": 1 << 16,
    "send messages in threads": 1 << 38,
}
"""What the bot needs, by the bits of Discord's documentation, permissions. Files are attached only where
`bot.file_after` wants long answers as a file too."""
OPEN_THREADS = 1 << 35
"""To create public threads: where `discord.reply_in` wants answers in threads."""
SCOPES = "bot applications.commands"


async def invite(settings: Settings) -> str:
    """The link. Raises SettingsError without a token or for a dead one, PlatformError where Discord does not answer."""
    if not settings.enabled:
        raise SettingsError(f"{TOKEN} is not set: copy the token from the Bot page of {PORTAL}.")
    async with connect(settings) as rest:
        me = await introduce(rest)
    return f"{AUTHORIZE}?{urlencode(link(me.application, settings.reply_in == 'thread'))}"


def link(application: str, threads: bool = False) -> dict[str, str]:
    """What the link says of an application, and of one that opens threads."""
    permissions = sum(PERMISSIONS.values()) + (OPEN_THREADS if threads else 0)
    return {"client_id": application, "permissions": str(permissions), "scope": SCOPES}
