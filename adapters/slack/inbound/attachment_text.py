"""What the attachments of a message say: what apps report, what is forwarded, previews of links. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.slack.inbound.block_text import read_blocks
from adapters.slack.inbound.mrkdwn import TOKEN, escape_loosely, link
from adapters.slack.inbound.shape import DEPTH, tables, word

NOTHING = frozenset({"[no preview available]", "This content can't be displayed."})
"""What Slack itself writes where a message has no text beside its blocks."""
LINKS = ("title_link", "from_url", "original_url", "app_unfurl_url")
"""Where the address of an attachment stands, the best first."""
WORDS = re.compile(r"[^\W_]+")

Json = Mapping[str, Any]


def merge(text: str, words: str) -> str:
    """A message's text and the words of its blocks, which are often the same: what both say is read once.

    Where one has all the words of the other it is read alone, the text first; else the lines of the text that say
    something more go before the blocks.
    """
    text = "" if text.strip() in NOTHING else text.strip()
    known = _vocabulary(words)
    if known <= _vocabulary(text):
        return text or words
    return "\n".join([*(line for line in text.splitlines() if not _vocabulary(line) <= known), words])


def read_attachments(message: Json, depth: int = DEPTH) -> tuple[str, ...]:
    """The words of each attachment that has some, in Slack's markup."""
    found = (_read_attachment(part, depth) for part in tables(message.get("attachments")))
    return tuple(text for text in found if text)


def _read_attachment(part: Json, depth: int) -> str:
    if depth <= 0:
        return ""
    shared = bool(part.get("is_share") or part.get("is_msg_unfurl"))
    body = merge(_text(part, "text"), "\n".join(filter(None, (read_blocks(part.get("blocks")), *_quoted(part, depth)))))
    lines = [_text(part, "pretext"), *_head(part, body, shared), body, *_fields(part)]
    lines += [*read_attachments(part, depth - 1), read_blocks(part.get("actions"))]
    lines += [] if shared else [_text(part, "footer")]
    return "\n".join(filter(None, lines)) or _text(part, "fallback")


def _quoted(part: Json, depth: int) -> Iterator[str]:
    """The messages that an attachment shows, with what they carry themselves."""
    for shown in tables(part.get("message_blocks")):
        message = shown.get("message")
        if isinstance(message, dict):
            yield merge(_text(message, "text"), read_blocks(message.get("blocks")))
            yield from read_attachments(message, depth - 1)


def _head(part: Json, body: str, shared: bool) -> Iterator[str]:
    """Who reports it, and its title with its address; of a shared message, whose head is the platform's, the title."""
    by = () if shared else (_text(part, "service_name"), _text(part, "author_name"))
    yield ", ".join(dict.fromkeys(filter(None, by)))
    url = next((word(part.get(key)) for key in LINKS[: 1 if shared else None] if word(part.get(key))), "")
    title = _text(part, "title")
    yield link(url, title) if title or url not in body else ""


def _fields(part: Json) -> Iterator[str]:
    for field in tables(part.get("fields")):
        yield ": ".join(filter(None, (_text(field, "title").rstrip(" :"), _text(field, "value"))))


def _text(part: Json, key: str) -> str:
    text = escape_loosely(word(part.get(key))).strip()
    return "" if text in NOTHING else text


def _vocabulary(text: str) -> set[str]:
    """The words of a text, the addresses and ids in it included, whatever their order and their marks."""
    return set(WORDS.findall(TOKEN.sub(lambda token: f" {token[1]} ", text).casefold()))
