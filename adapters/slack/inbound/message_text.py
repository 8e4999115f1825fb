"""What a message says, wherever Slack has put it: its text, its blocks, its attachments. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.slack.inbound.attachment_text import NOTHING, merge, read_attachments
from adapters.slack.inbound.block_text import read_blocks
from adapters.slack.inbound.mrkdwn import mentions
from adapters.slack.inbound.shape import word

LONGEST = 12_000
"""Characters that are read of blocks, and of attachments: as many as a person can type, and about as many as Slack
shows of the blocks of one message (a `markdown` block takes 12,000)."""
HALF = re.compile(r"(?:<[^<>\n]*|&[a-z]{0,3})\Z")
"""A token or an escape that a cut went through."""

Json = Mapping[str, Any]


def by_app(message: Json) -> bool:
    """Whether an app says it: what it says is nobody's question or command."""
    return bool(message.get("bot_id") or message.get("subtype") == "bot_message")


def read_words(message: Json) -> str:
    """What whoever wrote a message says in it, in Slack's markup; not what it carries of others.

    A person's text says all that the blocks beside it do, as Slack's client makes it of them: the blocks are read
    where there is no text, or where they alone mention somebody. An app's text and blocks may differ.
    """
    text, blocks = word(message.get("text")), message.get("blocks")
    if text.strip() in NOTHING:
        text = ""
    if not blocks:
        return text
    words = bound(read_blocks(blocks))
    if by_app(message):
        return merge(text, words)
    return words if not text.strip() or set(mentions(words)) - set(mentions(text)) else text


def read_carried(message: Json) -> tuple[str, ...]:
    """What a message carries in attachments, in Slack's markup: reports, what it forwards, previews of links."""
    parts: list[str] = []
    left = LONGEST
    for text in read_attachments(message):
        if left <= 0:
            break
        parts.append(bound(text, left))
        left -= len(parts[-1])
    return tuple(parts)


def read_message(message: Json) -> str:
    """All that a message says, with what it carries."""
    return "\n\n".join(filter(None, (read_words(message), *read_carried(message))))


def bound(markup: str, most: int = LONGEST) -> str:
    """At most so many characters of a text in markup, not cut within a token."""
    return markup if len(markup) <= most else f"{HALF.sub('', markup[: most - 1]).rstrip()}…"
