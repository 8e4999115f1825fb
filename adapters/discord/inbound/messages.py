"""From Discord's message to one for the engine, or None where it is not for the bot. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from discord import DMChannel, Guild, Member, Message, Permissions, TextChannel, Thread, User

from adapters.discord.inbound.audience import find_audience, mentions_itself, unreadable
from adapters.discord.inbound.embed_text import read_carried, read_texts
from adapters.discord.inbound.text import call, read
from bot.domain.audience import Audience, is_for_bot, take_off_name
from bot.domain.commands import match
from bot.domain.messages import Attachment, Author, Incoming, Place


def locate(channel: int, direct: bool, home: int = 0) -> Place:
    """The place of a conversation, `discord:<channel or thread>`; `home` is the channel that a thread is in."""
    return Place(f"discord:{channel}", shared=not direct, direct=direct, home=f"discord:{home}" if home else "")


def home(channel: Any) -> int:
    """The channel that a thread is in; 0 for everything else."""
    return channel.parent_id if isinstance(channel, Thread) else 0


def threadable(message: Message) -> bool:
    """Whether the bot may open a thread from it: in a server's text channel, with the permissions for that."""
    if not isinstance(message.channel, TextChannel):
        return False
    rights = message.channel.permissions_for(message.channel.guild.me)
    return rights.create_public_threads and rights.send_messages_in_threads


def incoming(
    message: Message,
    me: int,
    unasked: bool = False,
    threads: bool = False,
    bots: Collection[str] = (),
    admins: Collection[str] = (),
    names: Sequence[str] = (),
) -> Incoming | None:
    """The message for the engine, or None where it is not for the bot.

    `me` is the bot's user id, `names` what it is called too. `unasked` says that it answers there what is said to
    nobody in particular. A bare word is a command only to the bot itself: in a direct message or after a mention. A
    mention and nothing else has no text. With `threads` a question in a channel has the place of the thread that can be
    opened from it, whose id is the message's; a command means the channel. `bots` and `admins` are ids, of the bots
    that are answered and of who runs this one; what a bot says is no command.
    """
    audience = find_audience(message, me, names, bots)
    if not is_for_bot(audience, unasked):
        return None
    to_me = audience is Audience.BOT
    said = describe(message, me, admins, names)
    command = "" if said.bot else match(said.text, bare=to_me)
    if threads and not command and not unreadable(message, me) and threadable(message):
        said = replace(said, place=locate(message.id, False, message.channel.id))
    return replace(said, command=command, follows=not to_me, manages=bool(command) and _manages(message))


def describe(message: Message, me: int, admins: Collection[str] = (), names: Sequence[str] = ()) -> Incoming:
    """What somebody said as a message, whomever it was for; never a command."""
    text, where = read(message.content, message, me), message.channel
    named = None if message.author.bot or mentions_itself(message, me) else take_off_name(text, names)
    return Incoming(
        place=locate(where.id, isinstance(where, DMChannel), home(where)),
        author=Author(str(message.author.id), call(message.author)),
        text=text if named is None else named,
        channel_id=str(where.id),
        message_id=str(message.id),
        quote=_quote(message),
        attachments=_attachments(message),
        sent=message.created_at.timestamp(),
        people=tuple(Author(str(user.id), call(user)) for user in message.mentions if user.id != me),
        marks=marks(message.author, message.channel, message.guild),
        admin=str(message.author.id) in admins,
        bot=message.author.bot,
    )


def marks(author: User | Member, where: Any, guild: Guild | None) -> tuple[str, ...]:
    """The ids that a list may name: the person, their roles, the channel, what that is in, the server."""
    ids = [author.id, *(role.id for role in getattr(author, "roles", ())), getattr(where, "id", 0)]
    parent = where.parent if isinstance(where, Thread) else where
    ids += [home(where), getattr(parent, "category_id", None) or 0, guild.id if guild else 0]
    return tuple(dict.fromkeys(str(one) for one in ids if one))


def rules(rights: Permissions) -> bool:
    """Whether somebody with these permissions may set what holds for all in a channel."""
    return rights.manage_channels or rights.manage_guild or rights.administrator


def _manages(message: Message) -> bool:
    """Whether its author may set what holds for all there: in direct messages everybody may."""
    where, author = message.channel, message.author
    if message.guild is None:
        return True
    if not isinstance(author, Member) or (isinstance(where, Thread) and where.parent is None):
        return False
    return rules(where.permissions_for(author))


def _quote(message: Message) -> str:
    """What it answers or forwards, and what it carries itself beside its words."""
    resolved = message.reference.resolved if message.reference else None
    former = [resolved] if isinstance(resolved, Message) else []
    texts = [*read_texts(*message.message_snapshots, *former), read_carried(message)]
    return "\n\n".join(read(text, message, 0) for text in texts if text)


def _attachments(message: Message) -> tuple[Attachment, ...]:
    """The files of the message itself and of what it forwards."""
    files = [*message.attachments, *(file for snapshot in message.message_snapshots for file in snapshot.attachments)]
    return tuple(Attachment(file.filename, file.content_type or "", file.size, file.url) for file in files)
