"""From Slack's event to a message for the engine, or None where it is not for the bot. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.slack.api.identity import Identity
from adapters.slack.inbound import mrkdwn
from adapters.slack.inbound.message_text import read_carried, read_words
from adapters.slack.inbound.shape import sound
from bot.access.policy import matches_any
from bot.domain.audience import Audience, is_for_bot, take_off_name
from bot.domain.commands import match
from bot.domain.messages import Attachment, Author, Incoming, Place

SPOKEN = (None, "", "file_share", "thread_broadcast")
"""Subtypes of what a person says; every other one is a notice, an edit or a bot's."""
ELSEWHERE = ("external", "hidden_by_limit", "tombstone")
"""Modes of a file that Slack does not give out: another's, one too old for the workspace's plan, a deleted one."""
DIRECT = "D"
"""How the ids of direct messages begin."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a person said, wherever it was and whomever it was for; `thread` is empty outside of one.

    `shared` are the texts that it carries of others: messages that it forwards, previews of links. `home` is the
    person's own workspace, where Slack says it; `external` that it is of another organisation. `bot` is the id of the
    app where that is no person. `parent` is who wrote the message that the thread hangs under. `in_channel` says that
    what begins no thread is answered in the channel itself.
    """

    team: str
    channel: str
    thread: str
    ts: str
    user: str
    text: str
    direct: bool
    mention: bool
    files: tuple[Attachment, ...] = ()
    shared: tuple[str, ...] = ()
    home: str = ""
    external: bool = False
    bot: str = ""
    parent: str = ""
    in_channel: bool = False

    @property
    def sent(self) -> float:
        """When it was said, in seconds since 1970; 0 where its `ts` is no time."""
        return _seconds(self.ts)

    @property
    def people(self) -> tuple[str, ...]:
        """The ids of everybody whose name it takes to read it."""
        return (self.user, *mrkdwn.mentions("\n".join((self.text, *self.shared))))

    @property
    def root(self) -> str:
        """The thread to answer in, which a message in a channel begins; empty where it is answered outside of one."""
        return self.thread or ("" if self.direct or self.in_channel else self.ts)

    @property
    def place(self) -> Place:
        """Where it was said: a thread is a place of its own."""
        return locate(self.team, self.channel, self.root, self.direct)


def locate(team: str, channel: str, thread: str, direct: bool) -> Place:
    """The place of a conversation, `slack:<team>:<channel>[:<thread>]`; a thread's home is its channel."""
    key = f"slack:{team}:{channel}"
    where, home = (f"{key}:{thread}", key) if thread else (key, "")
    return Place(where, shared=not direct, direct=direct, home=home)


def thread_of(question: Incoming) -> str:
    """The thread that a question is answered in, as its place says; empty where it is answered outside of one."""
    return question.place.room.partition(f":{question.channel_id}:")[2]


def split(place: Place) -> tuple[str, str, str]:
    """(team, channel, thread) of a place; the thread is empty outside of one."""
    team, channel, thread = (*place.room.split(":")[1:], "", "", "")[:3]
    return team, channel, thread


def place_from(key: str) -> Place:
    """The place of a key as the memory has it: of a thread or not, of one person or of all.

    A thread is named by a time, a person by letters first.
    """
    team, channel, *parts = (*key.split(":")[1:], "", "")
    thread = parts.pop(0) if parts and parts[0][:1].isdigit() else ""
    return replace(locate(team, channel, thread, is_direct(channel)), key=key, person=parts[0])


def is_direct(channel: str) -> bool:
    """Whether a channel is a person's direct messages."""
    return channel.startswith(DIRECT)


def spoken(
    body: Mapping[str, Any], me: Identity, bots: Collection[str] = (), in_channel: bool = False
) -> Spoken | None:
    """What a person said, out of the envelope of an event; None for everything that is not a person's message.

    A person's own workspace is `user_team` or `source_team` in a channel that is shared. The workspaces of one
    organisation differ too, but then the envelope says that the channel is not shared outside of it. `bots` are the
    ids, of users or of apps, of those bots that count as people. `in_channel` is as in `Spoken`.
    """
    body = sound(body)
    event = body.get("event") or {}
    if event.get("type") not in ("message", "app_mention") or event.get("subtype") not in SPOKEN:
        return None
    user, channel, ts = event.get("user") or "", event.get("channel") or "", event.get("ts") or ""
    bot = str(event.get("bot_id") or "")
    if bot and (bot == me.bot or not matches_any(bots, "slack", (bot, user))):
        return None
    if event.get("hidden") or user in ("", me.user) or user.startswith("USLACK"):
        return None
    if not channel or not ts:
        return None
    text = read_words(event)
    thread = event.get("thread_ts") or ""
    return Spoken(
        team=_team(body, me),
        channel=channel,
        thread="" if thread == ts else thread,
        ts=ts,
        user=user,
        text=text,
        direct=event.get("channel_type") == "im" or is_direct(channel),
        mention=event["type"] == "app_mention" or me.user in mrkdwn.mentions(text),
        files=tuple(_attach(file) for file in event.get("files") or ()),
        shared=read_carried(event),
        home=(home := str(event.get("user_team") or event.get("source_team") or event.get("team") or "")),
        external=home not in ("", _team(body, me)) and body.get("is_ext_shared_channel") is not False,
        bot=bot,
        parent=str(event.get("parent_user_id") or ""),
        in_channel=in_channel,
    )


def find_audience(said: Spoken, me: Identity, called: Sequence[str] = ()) -> Audience:
    """Whom a message is for; `called` are the names of the bot. Another bot has to mention this one."""
    if said.mention or (said.direct and not said.bot):
        return Audience.BOT
    if said.bot:
        return Audience.OTHERS
    if take_off_name(mrkdwn.read(said.text, me.user, {}), called) is not None:
        return Audience.BOT
    empty = not (said.text.strip() or said.files or said.shared)
    return Audience.OTHERS if empty or mrkdwn.calls_others(said.text, me.user) else Audience.ANYBODY


def incoming(
    said: Spoken,
    me: Identity,
    names: Mapping[str, str],
    unasked: bool = False,
    admins: Collection[str] = (),
    called: Sequence[str] = (),
) -> Incoming | None:
    """The message for the engine, or None where it is not for the bot.

    `unasked` says that the bot answers there what is said to nobody in particular. A bare word is a command only to the
    bot itself: in a direct message or after a mention. `admins` are the ids of who runs the bot, `called` its names.
    What another bot says is no command.
    """
    audience = find_audience(said, me, called)
    if not is_for_bot(audience, unasked):
        return None
    addressed = audience is Audience.BOT
    question = read(said, me, names, admins, called)
    command = "" if said.bot else match(question.text, bare=addressed)
    return replace(question, command=command, follows=not addressed)


def read(
    said: Spoken,
    me: Identity,
    names: Mapping[str, str],
    admins: Collection[str] = (),
    called: Sequence[str] = (),
) -> Incoming:
    """What somebody said as a message, whomever it was for; never a command."""
    names = {**names, me.user: me.name}
    text = mrkdwn.read(said.text, me.user, names)
    named = None if said.bot or said.mention else take_off_name(text, called)
    return Incoming(
        place=said.place,
        author=Author(said.user, names.get(said.user, said.user)),
        text=text if named is None else named,
        channel_id=said.channel,
        message_id=said.ts,
        quote="\n\n".join(filter(None, (mrkdwn.read(text, "", names) for text in said.shared))),
        attachments=said.files,
        sent=said.sent,
        marks=tuple(dict.fromkeys(filter(None, (said.user, said.bot, said.channel, said.team, said.home)))),
        admin=said.user in admins,
        external=said.external,
        bot=bool(said.bot),
    )


def _seconds(ts: str) -> float:
    """A `ts` as seconds since 1970; 0 where it is none."""
    try:
        return float(ts)
    except ValueError:
        return 0.0


def _team(body: Mapping[str, Any], me: Identity) -> str:
    """The workspace that the app was installed in, not the one that a guest of a shared channel comes from."""
    authorizations = body.get("authorizations") or [{}]
    return authorizations[0].get("team_id") or body.get("team_id") or me.team


def _attach(file: Mapping[str, Any]) -> Attachment:
    """A file of a message; what Slack only links to, or keeps no more, has no address."""
    return Attachment(
        file.get("name") or file.get("id") or "",
        file.get("mimetype") or "",
        int(file.get("size") or 0),
        "" if file.get("is_external") or file.get("mode") in ELSEWHERE else file.get("url_private") or "",
    )
