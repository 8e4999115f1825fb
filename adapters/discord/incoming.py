"""From Discord's message to one for the engine, or None where it is not for the bot. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from discord import DMChannel, Guild, Member, Message, MessageType, TextChannel, Thread, User

from adapters.discord.embed_text import read_carried, read_texts
from adapters.discord.words import call, read
from bot.access import names
from bot.commands import match
from bot.messages import Attachment, Author, Incoming, Place

SPOKEN = (MessageType.default, MessageType.reply)
"""Types of what a person says; every other one is a notice."""


def locate(channel: int, direct: bool, home: int = 0) -> Place:
    """The place of a conversation, `discord:<channel or thread>`; `home` is the channel that a thread is in."""
    return Place(f"discord:{channel}", shared=not direct, direct=direct, home=f"discord:{home}" if home else "")


def home(channel: Any) -> int:
    """The channel that a thread is in; 0 for everything else."""
    return channel.parent_id if isinstance(channel, Thread) else 0


def spoken(message: Message, bots: Collection[str] = ()) -> bool:
    """Whether a person said it, or one of these bots, by their ids: no other bot, webhook or system."""
    known = not message.author.bot or names(bots, "discord", [str(message.author.id)])
    return known and message.webhook_id is None and message.type in SPOKEN


def addressed(message: Message, me: int) -> bool:
    """Whether it is said to the bot: in its direct messages, with its mention or its role's, or as a reply to it."""
    if message.author.bot:  # the ping of its reply is no mention
        return me in message.raw_mentions
    if isinstance(message.channel, DMChannel) or _mentions(message, me):
        return True
    return _calls_role(message) or (replies_to(message) == me and says(message))


def unreadable(message: Message, me: int) -> bool:
    """Whether it calls the bot's role alone, so that Discord keeps its text back for want of the intent."""
    return _calls_role(message) and not _mentions(message, me) and not says(message)


def follows(message: Message, me: int) -> bool:
    """Whether it may be a follow-up: in a thread, readable, to nobody in particular."""
    others = message.mentions or message.role_mentions or message.mention_everyone
    return (
        isinstance(message.channel, Thread)
        and not message.author.bot
        and says(message)
        and not others
        and replies_to(message) in (0, me)
        and not addressed(message, me)
    )


def threadable(message: Message) -> bool:
    """Whether the bot may open a thread from it: in a server's text channel, with the permissions for that."""
    if not isinstance(message.channel, TextChannel):
        return False
    rights = message.channel.permissions_for(message.channel.guild.me)
    return rights.create_public_threads and rights.send_messages_in_threads


def incoming(
    message: Message,
    me: int,
    joined: bool = False,
    threads: bool = False,
    bots: Collection[str] = (),
    admins: Collection[str] = (),
) -> Incoming | None:
    """The message for the engine, or None where it is not for the bot.

    `me` is the bot's user id. `joined` says that the bot takes part in the thread. A bare word is a command only to the
    bot itself: in a direct message or after a mention. A mention and nothing else has no text. With `threads` a
    question in a channel has the place of the thread that can be opened from it, whose id is the message's; a command
    means the channel. `bots` and `admins` are ids, of the bots that are answered and of who runs this one; what a bot
    says is no command.
    """
    if not spoken(message, bots) or message.author.id == me:
        return None
    to_me = addressed(message, me)
    if not to_me and not (joined and follows(message, me)):
        return None
    said = describe(message, me, admins)
    command = "" if said.bot else match(said.text, bare=to_me)
    if threads and not command and not unreadable(message, me) and threadable(message):
        said = replace(said, place=locate(message.id, False, message.channel.id))
    return replace(said, command=command, follows=not to_me)


def describe(message: Message, me: int, admins: Collection[str] = ()) -> Incoming:
    """What somebody said as a message, whomever it was for; never a command."""
    text, where = read(message.content, message, me), message.channel
    return Incoming(
        place=locate(where.id, isinstance(where, DMChannel), home(where)),
        author=Author(str(message.author.id), call(message.author)),
        text=text,
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


def _mentions(message: Message, me: int) -> bool:
    """A mention of the bot in the text, or the ping of a reply to it."""
    return any(user.id == me for user in message.mentions)


def _calls_role(message: Message) -> bool:
    """A mention of the role that came with the bot: people pick it from the list."""
    own = message.guild.self_role if message.guild else None
    return own is not None and own in message.role_mentions


def replies_to(message: Message) -> int:
    """Whose message this one answers; 0 for nobody's, or nobody knows whose."""
    resolved = message.reference.resolved if message.reference else None
    return resolved.author.id if isinstance(resolved, Message) else 0


def says(message: Message) -> bool:
    """Whether there is anything to read; without the intent Discord empties what is not for the bot."""
    return bool(message.content or message.attachments or message.message_snapshots)


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
