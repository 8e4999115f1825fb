"""What a Slack workspace remembers: people, conversations, messages with every text they ever showed."""

from __future__ import annotations

import html
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SPECIAL = re.compile(r"<(!(?:channel|here|everyone|subteam\^[A-Z0-9]+)|@[UW][A-Z0-9]+)(?:\|[^>]*)?>")
BARE = re.compile(r"(?<![\w/])@(channel|here|everyone)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Version:
    """What a message showed at one time."""

    text: str
    blocks: tuple[dict[str, Any], ...] = ()

    @property
    def pings(self) -> tuple[str, ...]:
        """Whom it would notify: Slack's own tokens, and the bare words that a client may take for them."""
        raw = "\n".join((self.text, *texts(self.blocks)))
        return tuple(SPECIAL.findall(raw) + [f"@{word}" for word in BARE.findall(raw)])

    @property
    def shown(self) -> str:
        """What the reader sees: the blocks, or else the text, with Slack's three escapes read once."""
        return unescape("\n".join(texts(self.blocks)) if self.blocks else self.text)


@dataclass
class Message:
    """One message; its versions are the whole history of its edits, `extra` is what else its payload says."""

    ts: str
    channel: str
    user: str
    versions: list[Version]
    thread: str = ""
    bot: bool = False
    deleted: bool = False
    args: dict[str, Any] = field(default_factory=dict)
    reactions: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    files: list[dict[str, Any]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """What it shows now."""
        return self.versions[-1].shown

    @property
    def pings(self) -> tuple[str, ...]:
        """Whom it would have notified, ever."""
        return tuple(ping for version in self.versions for ping in version.pings)


@dataclass
class Conversation:
    """A channel, a private channel ("group"), a group message ("mpim") or a direct message ("im").

    `shared` says that other organisations have it too, `frozen` that nobody may write in it.
    """

    id: str
    kind: str
    members: set[str]
    name: str = "general"
    archived: bool = False
    frozen: bool = False
    shared: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    statuses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def thread(self, root: str) -> list[Message]:
        """The messages of a thread, its first one included, that are not deleted."""
        return [
            message
            for message in self.messages.values()
            if root in (message.ts, message.thread) and not message.deleted
        ]


@dataclass(frozen=True)
class Ephemeral:
    """A message that one person saw; `replaced` when it took the place of what they clicked on."""

    channel: str
    user: str
    version: Version
    replaced: bool = False
    thread: str = ""

    @property
    def shown(self) -> str:
        """What it shows."""
        return self.version.shown


class Clock:
    """Gives out `ts` values: unique, growing, in Slack's form."""

    def __init__(self) -> None:
        self._last = 0

    def ts(self) -> str:
        """The next one."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


def texts(blocks: Sequence[dict[str, Any]]) -> list[str]:
    """The texts of blocks that a reader sees, buttons left out."""
    found = []
    for block in blocks:
        text = block.get("text", "")
        found.append(text.get("text", "") if isinstance(text, dict) else text)
        found += [element["text"] for element in block.get("elements", ()) if isinstance(element.get("text"), str)]
    return [text for text in found if text]


def unescape(text: str) -> str:
    """Read Slack's three escapes once; zero-width spaces are not seen."""
    decoded = re.sub(r"&(?:lt|gt|amp);", lambda escape: html.unescape(escape[0]), text)
    return decoded.replace("\u200b", "")
