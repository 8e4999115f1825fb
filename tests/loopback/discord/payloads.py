"""What things look like in Discord's JSON, after recorded payloads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.loopback.discord.state import DM, THREAD, VOICE, App, Channel, Guild, Member, Message, Role, User, created
from tests.loopback.discord.world import BITS, BOT, World

Json = dict[str, Any]
HAS_THREAD = 1 << 5
"""A flag of messages."""


def timestamp(at: float) -> str:
    """A Unix time as Discord writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def user(person: User) -> Json:
    """A user."""
    found: Json = {
        "id": person.id,
        "username": person.username,
        "global_name": None if person.bot else person.display,
        "discriminator": "6184" if person.bot else "0",
        "avatar": None,
        "avatar_decoration_data": None,
        "public_flags": 0,
        "clan": None,
        "primary_guild": None,
        "collectibles": None,
        "display_name_styles": None,
    }
    return {**found, "bot": True} if person.bot else found


def member(someone: Member, full: bool = True) -> Json:
    """A member; in a message it comes without the user."""
    found: Json = {
        "nick": someone.nick,
        "avatar": None,
        "banner": None,
        "roles": list(someone.roles),
        "joined_at": "2026-01-04T20:21:10.139000+00:00",
        "premium_since": None,
        "communication_disabled_until": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "collectibles": None,
        "display_name_styles": None,
        "unusual_dm_activity_until": None,
        "flags": 0,
    }
    return {**found, "user": user(someone.user)} if full else found


def role(given: Role, position: int) -> Json:
    """A role."""
    found: Json = {
        "id": given.id,
        "name": given.name,
        "permissions": str(given.permissions),
        "position": position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "managed": bool(given.bot),
        "mentionable": True,
        "flags": 0,
    }
    return {**found, "tags": {"bot_id": given.bot}} if given.bot else found


def channel(where: Channel, world: World) -> Json:
    """A channel, a thread or a direct message."""
    last = where.standing[-1].id if where.standing else None
    found: Json = {"id": where.id, "type": where.kind, "last_message_id": last, "flags": 0}
    if where.kind == DM:
        return {**found, "recipients": [user(world.users[person]) for person in where.people]}
    found |= {"guild_id": where.guild, "name": where.name, "rate_limit_per_user": 0}
    if where.kind == THREAD:
        return found | _thread(where)
    denied = sum(BITS[name] for name in where.denied)
    refusal = [{"id": BOT, "type": 1, "allow": "0", "deny": str(denied)}] if denied else []
    more = {"position": 0, "permission_overwrites": refusal, "parent_id": None, "topic": None, "nsfw": False}
    return found | more | ({"bitrate": 64000, "user_limit": 0} if where.kind == VOICE else {})


def _thread(where: Channel) -> Json:
    at = timestamp(created(where.id))
    found: Json = {
        "parent_id": where.parent,
        "owner_id": where.owner,
        "message_count": len(where.standing),
        "member_count": len(where.people),
        "total_message_sent": len(where.messages),
        "thread_metadata": {
            "archived": where.archived,
            "locked": where.locked,
            "auto_archive_duration": 1440,
            "archive_timestamp": at,
            "create_timestamp": at,
        },
    }
    if BOT in where.people:
        found["member"] = {"id": where.id, "user_id": BOT, "join_timestamp": at, "flags": 0}
    return found


def guild(found: Guild, world: World) -> Json:
    """A guild as GUILD_CREATE brings it: of the members the bot alone, and the threads that are not archived."""
    inside = [
        where
        for where in world.channels.values()
        if where.guild == found.id and not where.deleted and not world.lacks(where, "view")
    ]
    return {
        "id": found.id,
        "name": found.name,
        "owner_id": found.owner,
        "unavailable": False,
        "large": False,
        "member_count": len(found.members),
        "members": [member(found.members[BOT])],
        "roles": [role(given, place) for place, given in enumerate(found.roles.values())],
        "channels": [channel(where, world) for where in inside if where.kind != THREAD],
        "threads": [channel(where, world) for where in inside if where.kind == THREAD and not where.archived],
        "features": [],
        "emojis": [],
        "stickers": [],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "preferred_locale": "en-US",
        "premium_tier": 0,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "nsfw_level": 0,
        "mfa_level": 0,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "joined_at": "2026-01-04T20:39:45.451082+00:00",
    }


def application(app: App, me: User) -> Json:
    """The application, in whole."""
    return {
        "id": app.id,
        "name": me.username,
        "icon": None,
        "description": "",
        "summary": "",
        "rpc_origins": [],
        "bot_public": True,
        "bot_require_code_grant": False,
        "bot": user(me),
        "owner": user(app.owner),
        "verify_key": "0" * 64,
        "team": None,
        "flags": app.flags,
        "hook": True,
        "tags": [],
        "install_params": {"scopes": ["bot"], "permissions": "0"},
        "integration_types_config": {"0": {}},
        "interactions_endpoint_url": None,
        "redirect_uris": [],
        "approximate_guild_count": 1,
    }


def bare(said: Message, world: World) -> Json:
    """A message with the id of what it replies to, and no more of that."""
    now = said.now
    found: Json = {
        "id": said.id,
        "channel_id": said.channel,
        "type": said.type,
        "content": now.content,
        "author": user(said.author),
        "timestamp": timestamp(created(said.id)),
        "edited_timestamp": timestamp(said.edited) if said.edited else None,
        "tts": False,
        "pinned": False,
        "mention_everyone": said.everyone,
        "mentions": [user(world.users[who]) for who in said.mentions if who in world.users],
        "mention_roles": said.roles,
        "attachments": said.attachments,
        "embeds": [dict(embed) for embed in now.embeds],
        "components": list(now.components),
        "flags": now.flags,
    }
    if (thread := world.channels.get(said.id)) and not thread.deleted:
        found |= {"thread": channel(thread, world), "flags": now.flags | HAS_THREAD}
    if said.reference:
        place = {"guild_id": world.channels[said.channel].guild} if world.channels[said.channel].guild else {}
        found["message_reference"] = {"type": 0, "channel_id": said.channel, "message_id": said.reference, **place}
    if said.reactions:
        found["reactions"] = [_reaction(emoji, who) for emoji, who in said.reactions.items() if who]
    return {**found, "nonce": said.nonce} if said.nonce else found


def _reaction(emoji: str, who: set[str]) -> Json:
    details = {"normal": len(who), "burst": 0}
    named = {"id": None, "name": emoji}
    return {"emoji": named, "count": len(who), "count_details": details, "me": BOT in who, "me_burst": False,
            "burst_colors": []}  # fmt: skip


def message(said: Message, world: World, readable: bool = True) -> Json:
    """A message as REST gives it; where it is not `readable` without the texts that an intent is needed for."""
    found = _veil(bare(said, world), world, readable)
    if not said.reference:
        return found
    former = world.channels[said.channel].messages.get(said.reference)
    gone = former is None or former.deleted
    found["referenced_message"] = None if gone or not former else _veil(bare(former, world), world, readable)
    return found


def event(said: Message, world: World, readable: bool = True) -> Json:
    """A message as the gateway brings it."""
    where = world.channels[said.channel]
    found: Json = {**message(said, world, readable), "channel_type": where.kind}
    if not where.guild:
        return found
    members = world.guilds[where.guild].members
    found["guild_id"] = where.guild
    if said.author.id in members:
        found["member"] = member(members[said.author.id], full=False)
    for mentioned in found["mentions"]:
        if mentioned["id"] in members:
            mentioned["member"] = member(members[mentioned["id"]], full=False)
    return found


def _veil(found: Json, world: World, readable: bool) -> Json:
    """Empty the texts that the bot may not read: not its own, not to it alone, and not mentioning it."""
    own = found["author"]["id"] == BOT or any(person["id"] == BOT for person in found["mentions"])
    if readable or own or not world.channels[found["channel_id"]].guild:
        return found
    return {**found, "content": "", "embeds": [], "attachments": [], "components": []}
