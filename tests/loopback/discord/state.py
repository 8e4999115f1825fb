"""What a Discord remembers: people, channels, and messages with every state that they ever showed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

TEXT, DM, VOICE, THREAD = 0, 1, 2, 11
"""Kinds of channels."""
EPOCH = 1_420_070_400_000
"""The first millisecond of a snowflake (docs.discord.com, reference)."""
SUPPRESS_EMBEDS, EPHEMERAL, LOADING, SILENT, COMPONENTS_V2 = 1 << 2, 1 << 6, 1 << 7, 1 << 12, 1 << 15
"""Flags of messages."""


@dataclass
class User:
    """Someone with an account; `closed` is who takes no direct messages."""

    id: str
    username: str
    display: str = ""
    bot: bool = False
    closed: bool = False


@dataclass
class Role:
    """A role of a guild; `bot` is the id of the bot whose own role it is."""

    id: str
    name: str
    permissions: int = 0
    bot: str = ""


@dataclass
class Member:
    """Someone in a guild."""

    user: User
    nick: str | None = None
    roles: list[str] = field(default_factory=list)


@dataclass
class Guild:
    """A server: its members and its roles, of which one has the guild's own id."""

    id: str
    name: str
    owner: str
    members: dict[str, Member] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """What a message showed at one time."""

    content: str
    components: tuple[dict[str, Any], ...] = ()
    embeds: tuple[dict[str, Any], ...] = ()
    flags: int = 0
    at: float = 0.0
    """By the clock that limits are counted with."""

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """Its buttons, in order."""
        return [part for part in flatten(self.components) if part.get("type") == 2]

    @property
    def shown(self) -> str:
        """What the reader sees: the content, or the texts of components where those stand for it."""
        texts = [str(part["content"]) for part in flatten(self.components) if part.get("type") == 10]
        return "\n".join(filter(None, [self.content, *texts]))


@dataclass
class Message:
    """One message; its versions are the whole history of its edits.

    `mentions` are ids of users, `reference` is the id of the message that it replies to and `replied` whom that told,
    `viewer` is who alone sees it, `edited` a Unix time.
    """

    id: str
    channel: str
    author: User
    versions: list[Version]
    mentions: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    everyone: bool = False
    reference: str = ""
    replied: str = ""
    nonce: str = ""
    attachments: list[dict[str, Any]] = field(default_factory=list)
    reactions: dict[str, set[str]] = field(default_factory=dict)
    viewer: str = ""
    deleted: bool = False
    edited: float = 0.0
    type: int = 0

    @property
    def now(self) -> Version:
        """What it shows now."""
        return self.versions[-1]

    @property
    def content(self) -> str:
        """Its text as it is now."""
        return self.now.content

    @property
    def shown(self) -> str:
        """What the reader sees now."""
        return self.now.shown

    @property
    def flags(self) -> int:
        """Its flags as they are now."""
        return self.now.flags

    @property
    def buttons(self) -> list[str]:
        """The custom ids of the buttons that it shows and that can be pressed."""
        return [part["custom_id"] for part in self.now.buttons if "custom_id" in part and not part.get("disabled")]


@dataclass
class Channel:
    """Where people talk: a text channel, a thread (`parent`), or a direct message (no `guild`).

    `denied` are the permissions that the bot lacks here, such as "send"; `people` who a direct message is with, and
    in a thread who joined it.
    """

    id: str
    kind: int = TEXT
    guild: str = ""
    name: str = "general"
    parent: str = ""
    owner: str = ""
    people: list[str] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    archived: bool = False
    locked: bool = False
    deleted: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    typed: list[float] = field(default_factory=list)

    @property
    def standing(self) -> list[Message]:
        """The messages that everybody here sees, oldest first."""
        found = [said for said in self.messages.values() if not said.deleted and not said.viewer]
        return sorted(found, key=lambda said: int(said.id))


@dataclass(frozen=True)
class Notice:
    """Somebody was notified by a message: `who` is an id, or "@everyone" or "@here"; `how` is "mention" or "reply"."""

    message: str
    who: str
    how: str = "mention"
    edit: bool = False
    silent: bool = False


@dataclass
class App:
    """The application: its owner, and which privileged intents it was granted."""

    id: str
    owner: User
    granted: set[str] = field(default_factory=lambda: {"message_content"})
    commands: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def flags(self) -> int:
        """Its flags: the limited kind of each intent, as for an app in few guilds."""
        bits = {"presences": 1 << 13, "members": 1 << 15, "message_content": 1 << 19}
        return sum(bits[name] for name in self.granted)


class Snowflakes:
    """Gives out ids: unique, and growing with time."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, ago: float = 0.0) -> str:
        """The next one; `ago` makes it so many seconds old."""
        at = int((time.time() - ago) * 1000) - EPOCH
        made = at << 22
        if not ago:
            made = self._last = max(self._last + 1, made)
        return str(made)


def created(id: str) -> float:
    """The Unix time of a snowflake."""
    return ((int(id) >> 22) + EPOCH) / 1000


def flatten(components: tuple[dict[str, Any], ...] | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Components with all that are in them."""
    found: list[dict[str, Any]] = []
    for part in components:
        inner = [*part.get("components", ()), *([part["accessory"]] if "accessory" in part else ())]
        found += [part, *flatten(inner)]
    return found
