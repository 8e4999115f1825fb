"""From Slack's event to a message for the engine, or None where it is not for the bot. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.slack import mrkdwn
from adapters.slack.message_text import read_carried, read_words
from adapters.slack.shape import sound
from bot.access import names
from bot.commands import match
from bot.messages import Attachment, Author, Incoming, Place

SPOKEN = (None, "", "file_share", "thread_broadcast")
"""Subtypes of what a person says; every other one is a notice, an edit or a bot's."""
ELSEWHERE = ("external", "hidden_by_limit", "tombstone")
"""Modes of a file that Slack does not give out: another's, one too old for the workspace's plan, a deleted one."""
DIRECT = "D"
"""How the ids of direct messages begin."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is in its workspace, as `auth.test` says."""

    team: str
    user: str
    bot: str
    name: str
    workspace: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a person said, wherever it was and whomever it was for; `thread` is empty outside of one.

    `shared` are the texts that it carries of others: messages that it forwards, previews of links. `home` is the
    person's own workspace, where Slack says it; `external` that it is of another organisation. `bot` is the id of the
    app where that is no person.
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

    @property
    def people(self) -> tuple[str, ...]:
        """The ids of everybody whose name it takes to read it."""
        return (self.user, *mrkdwn.mentions("\n".join((self.text, *self.shared))))

    @property
    def root(self) -> str:
        """The thread to answer in, which a message in a channel begins; empty in a direct message outside of one."""
        return self.thread or ("" if self.direct else self.ts)

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
    """The thread that a question is answered in, as its place says; empty in a direct message outside of one."""
    return question.place.key.partition(f":{question.channel_id}:")[2]


def is_direct(channel: str) -> bool:
    """Whether a channel is a person's direct messages."""
    return channel.startswith(DIRECT)


def spoken(body: Mapping[str, Any], me: Identity, bots: Collection[str] = ()) -> Spoken | None:
    """What a person said, out of the envelope of an event; None for everything that is not a person's message.

    A person's own workspace is `user_team` or `source_team` in a channel that is shared. The workspaces of one
    organisation differ too, but then the envelope says that the channel is not shared outside of it. `bots` are the
    ids, of users or of apps, of those bots that count as people.
    """
    body = sound(body)
    event = body.get("event") or {}
    if event.get("type") not in ("message", "app_mention") or event.get("subtype") not in SPOKEN:
        return None
    user, channel, ts = event.get("user") or "", event.get("channel") or "", event.get("ts") or ""
    bot = str(event.get("bot_id") or "")
    if bot and (bot == me.bot or not names(bots, "slack", (bot, user))):
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
    )


def follows(said: Spoken, me: Identity) -> bool:
    """Whether it may be a follow-up: in a thread, to nobody in particular."""
    person = not said.mention and not said.direct and not said.bot
    return bool(said.thread) and person and not mrkdwn.calls_others(said.text, me.user)


def incoming(
    said: Spoken, me: Identity, names: Mapping[str, str], joined: bool = False, admins: Collection[str] = ()
) -> Incoming | None:
    """The message for the engine, or None where it is not for the bot.

    `joined` says that the bot takes part in the thread and was not told to be quiet there. A bare word is a command
    only to the bot itself: in a direct message or after a mention. `admins` are the ids of who runs the bot. Another
    bot has to mention this one, and gives it no commands.
    """
    addressed = said.mention or (said.direct and not said.bot)
    if not addressed and not (joined and follows(said, me)):
        return None
    question = read(said, me, names, admins)
    command = "" if said.bot else match(question.text, bare=addressed)
    return replace(question, command=command, follows=not addressed)


def read(said: Spoken, me: Identity, names: Mapping[str, str], admins: Collection[str] = ()) -> Incoming:
    """What somebody said as a message, whomever it was for; never a command."""
    names = {**names, me.user: me.name}
    return Incoming(
        place=said.place,
        author=Author(said.user, names.get(said.user, said.user)),
        text=mrkdwn.read(said.text, me.user, names),
        channel_id=said.channel,
        message_id=said.ts,
        quote="\n\n".join(filter(None, (mrkdwn.read(text, "", names) for text in said.shared))),
        attachments=said.files,
        sent=_seconds(said.ts),
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
