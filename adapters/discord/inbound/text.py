"""What a Discord message says, in words: mentions, emoji and times as people see them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from discord import Guild, Member, Message, User

from adapters.shared.quotes import plain
from bot.domain.addressing import strip_address

TOKEN = re.compile(
    r"<(?:@!?(?P<user>\d+)|@&(?P<role>\d+)|#(?P<channel>\d+)|a?:(?P<emoji>\w+):\d+|"
    r"/(?P<command>[^:<>\n]+):\d+|t:(?P<time>-?\d{1,11})(?::[tTdDfFRsS])?|id:(?P<guide>[a-z]+)(?::\d+)?)>"
)
BLANKS = re.compile(r"(?<=\S)[ \t]+$", re.MULTILINE)


def read(content: str, message: Message, me: int) -> str:
    """A text of the message, or of one that it quotes, for the model, without the mention that addresses the bot `me`.

    With 0 for `me` every mention is a name.
    """
    if me:
        role = message.guild.self_role.id if message.guild and message.guild.self_role else 0
        content = strip_address(content, rf"<@(?:!?{me}|&{role})>")
    return BLANKS.sub("", TOKEN.sub(lambda token: _name(token, message), content)).strip()


def call(person: User | Member) -> str:
    """What a person is called there, as one short plain line; their id where that is no name."""
    return plain(person.display_name) or str(person.id)


def _name(token: re.Match[str], message: Message) -> str:
    kind, value = token.lastgroup, token[token.lastgroup or 0]
    guild = message.guild if isinstance(message.guild, Guild) else None
    if kind == "user":
        return f"@{_person(int(value), message)}"
    if kind == "role":
        role = guild.get_role(int(value)) if guild else None
        return f"@{(role and plain(role.name)) or 'role'}"
    if kind == "channel":
        channel = guild.get_channel_or_thread(int(value)) if guild else None
        return f"#{(channel and plain(channel.name)) or 'channel'}"
    if kind == "time":
        return _moment(int(value)) or token[0]
    return {"command": f"/{value}", "guide": f"#{value}"}.get(kind or "", f":{value}:")


def _person(id: int, message: Message) -> str:
    quoted = getattr(message.reference and message.reference.resolved, "mentions", [])
    me = getattr(message.guild or message.channel, "me", None)
    people = [message.author, *message.mentions, *quoted, *([me] if me else [])]
    return next((call(person) for person in people if person.id == id), str(id))


def _moment(seconds: int) -> str:
    """A time in words; empty where it is none."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return ""
