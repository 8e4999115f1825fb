"""Channels of a server that the bot sees and cannot write in, computed from REST, without a gateway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from discord import Permissions

from adapters.discord.api.client import Rest

SPOKEN_IN = (0, 2, 5)
"""Types of channels with messages: text, voice, announcement (Discord's documentation, channel types)."""
ROLE, MEMBER = 0, 1
"""Types of a permission overwrite."""


async def find_closed(rest: Rest, server: str, me: str) -> list[str]:
    """Name a server's channels that the bot sees and lacks a permission for, with that. Raises PlatformError."""
    described = await rest.call("GET", f"/guilds/{server}") or {}
    member = await rest.call("GET", f"/guilds/{server}/members/{me}") or {}
    channels = await rest.call("GET", f"/guilds/{server}/channels") or ()
    roles = {server, *member.get("roles", ())}
    base = combine_roles(described.get("roles", ()), roles)
    if base.administrator or described.get("owner_id") == me:
        return []
    found = []
    for channel in channels:
        may = apply_overwrites(base, channel.get("permission_overwrites") or (), server, roles, me)
        if channel.get("type") in SPOKEN_IN and may.view_channel and not may.send_messages:
            found.append(f"#{channel.get('name')} ({described.get('name')}: Send Messages)")
    return found


def combine_roles(roles: Iterable[Mapping[str, Any]], held: Set[str]) -> Permissions:
    """Return what the held roles, the server's own among them, allow together."""
    value = 0
    for role in roles:
        if role["id"] in held:
            value |= int(role["permissions"])
    return Permissions(value)


def apply_overwrites(
    base: Permissions, overwrites: Iterable[Mapping[str, Any]], server: str, roles: Set[str], me: str
) -> Permissions:
    """Return what holds in a channel: everybody's overwrite, then those of roles together, then the member's own.

    As Discord's documentation computes it (permissions, permission overwrites).
    """
    value = base.value
    listed = list(overwrites)
    of_roles = [one for one in listed if int(one["type"]) == ROLE and one["id"] in roles and one["id"] != server]
    for group in (
        [one for one in listed if one["id"] == server],
        of_roles,
        [one for one in listed if int(one["type"]) == MEMBER and one["id"] == me],
    ):
        for one in group:
            value &= ~int(one["deny"])
        for one in group:
            value |= int(one["allow"])
    return Permissions(value)
