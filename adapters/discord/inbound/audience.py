"""Whom a message in Discord is for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from discord import DMChannel, Message, MessageType

from bot.access.policy import matches_any
from bot.domain.audience import Audience, take_off_name

SPOKEN = (MessageType.default, MessageType.reply)
"""Types of what a person says; every other one is a notice."""


def find_audience(message: Message, me: int, names: Sequence[str] = (), bots: Collection[str] = ()) -> Audience:
    """Whom a message is for; `me` is the bot's user id, `names` what it is called too.

    `bots` are the ids of those other bots that it answers; they have to mention it.
    """
    if not spoken(message, bots) or message.author.id == me:
        return Audience.OTHERS
    if message.author.bot:  # the ping of its reply is no mention
        return Audience.BOT if me in message.raw_mentions else Audience.OTHERS
    if _addresses(message, me) or take_off_name(message.content, names) is not None:
        return Audience.BOT
    people = [user for user in message.mentions if user.id != message.author.id]
    others = people or message.role_mentions or message.mention_everyone
    if others or not says(message) or _replies_to_another(message, me):
        return Audience.OTHERS
    return Audience.ANYBODY


def spoken(message: Message, bots: Collection[str] = ()) -> bool:
    """Whether a person said it, or one of these bots, by their ids: no other bot, webhook or system."""
    known = not message.author.bot or matches_any(bots, "discord", [str(message.author.id)])
    return known and message.webhook_id is None and message.type in SPOKEN


def unreadable(message: Message, me: int) -> bool:
    """Whether it calls the bot's role alone, so that Discord keeps its text back for want of the intent."""
    return _calls_role(message) and not _mentions(message, me) and not says(message)


def replies_to(message: Message) -> int:
    """Whose message this one answers; 0 for nobody's, or nobody knows whose."""
    resolved = message.reference.resolved if message.reference else None
    return resolved.author.id if isinstance(resolved, Message) else 0


def _replies_to_another(message: Message, me: int) -> bool:
    """Tell whether a message answers somebody else's, or one of which Discord does not say whose it was."""
    if message.type is not MessageType.reply:
        return False
    return replies_to(message) not in (me, message.author.id)


def says(message: Message) -> bool:
    """Whether there is anything to read; without the intent Discord empties what is not for the bot."""
    return bool(message.content or message.attachments or message.message_snapshots)


def mentions_itself(message: Message, me: int) -> bool:
    """Whether the bot or its role is mentioned in the text."""
    return me in message.raw_mentions or _calls_role(message)


def _addresses(message: Message, me: int) -> bool:
    """Whether a person says it to the bot: in direct messages, with its mention or its role's, or as a reply to it."""
    if isinstance(message.channel, DMChannel) or _mentions(message, me) or _calls_role(message):
        return True
    return replies_to(message) == me and says(message)


def _mentions(message: Message, me: int) -> bool:
    """A mention of the bot in the text, or the ping of a reply to it."""
    return any(user.id == me for user in message.mentions)


def _calls_role(message: Message) -> bool:
    """A mention of the role that came with the bot: people pick it from the list."""
    own = message.guild.self_role if message.guild else None
    return own is not None and own in message.role_mentions
