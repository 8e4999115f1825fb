"""What a block of rich text says, in Slack's markup, as its client writes that into a message's text. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.slack.inbound.mrkdwn import escape, link
from adapters.slack.inbound.shape import tables, word

STYLES = (("code", "`"), ("strike", "~"), ("italic", "_"), ("bold", "*"))
"""The styles that have a mark, from the innermost to the outermost."""
PERSON = re.compile(r"[UW][A-Z0-9]+")
ID = re.compile(r"[A-Z0-9]+")
INDENT = 8
"""Levels of a list (docs.slack.dev, rich text block)."""
FIRST = 10**6
"""The largest number that a list may begin with."""

Json = Mapping[str, Any]


def read_rich_text(part: Json, depth: int) -> str:
    """The words of a part of rich text; nothing below so many levels."""
    if depth <= 0:
        return ""
    kind = word(part.get("type"))
    if kind in INLINE:
        return _style(INLINE[kind](part), part.get("style")) if kind in STYLED else INLINE[kind](part)
    if kind == "rich_text":
        lines = (read_rich_text(element, depth - 1).strip("\n") for element in tables(part.get("elements")))
        return "\n".join(filter(None, lines))
    if kind == "rich_text_list":
        return _read_list(part, depth)
    text = "".join(read_rich_text(element, depth - 1) for element in tables(part.get("elements")))
    if kind == "rich_text_preformatted":
        return "```\n{}\n```".format(text.strip("\n")) if text.strip() else ""
    if kind == "rich_text_quote":
        return "\n".join(f"&gt; {line}" for line in text.strip("\n").split("\n")) if text.strip() else ""
    return text or escape(word(part.get("text")) or word(part.get("fallback")))


def _read_list(part: Json, depth: int) -> str:
    """A list, each entry on a line of its own with its number or a dash."""
    indent = "    " * min(max(_whole(part.get("indent")), 0), INDENT)
    first = 1 + min(max(_whole(part.get("offset")), 0), FIRST)
    lines = []
    for number, entry in enumerate(tables(part.get("elements")), first):
        mark = f"{number}." if part.get("style") == "ordered" else "-"
        lines.append(f"{indent}{mark} {read_rich_text(entry, depth - 1).strip()}".rstrip())
    return "\n".join(lines)


def _style(text: str, style: object) -> str:
    """A text between the marks of its styles, which stand at its words and not at the blanks around them."""
    words = text.strip()
    if not words or not isinstance(style, dict):
        return text
    before, _, after = text.partition(words)
    for name, mark in STYLES:
        if style.get(name) is True:
            words = f"{mark}{words}{mark}"
    return f"{before}{words}{after}"


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _token(part: Json, key: str, form: str, shape: re.Pattern[str] = ID) -> str:
    """A token of Slack's around an id, which is a plain text where it is none."""
    value = word(part.get(key))
    return f"<{form}{value}>" if shape.fullmatch(value) else escape(value)


def _date(part: Json) -> str:
    """A moment as whoever wrote it would have it read, else in universal time."""
    if fallback := word(part.get("fallback")).strip():
        return escape(fallback)
    try:
        return datetime.fromtimestamp(float(word(part.get("timestamp"))), UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return ""


def _emoji(part: Json) -> str:
    name = word(part.get("name"))
    return f":{escape(name)}:" if name else ""


INLINE: dict[str, Callable[[Json], str]] = {
    "text": lambda part: escape(word(part.get("text"))),
    "link": lambda part: link(word(part.get("url")), escape(word(part.get("text")))),
    "user": lambda part: _token(part, "user_id", "@", PERSON),
    "usergroup": lambda part: _token(part, "usergroup_id", "!subteam^"),
    "channel": lambda part: _token(part, "channel_id", "#"),
    "broadcast": lambda part: _token(part, "range", "!", re.compile(r"here|channel|everyone")),
    "emoji": _emoji,
    "date": _date,
    "color": lambda part: escape(word(part.get("value"))),
}
STYLED = ("text", "link")
