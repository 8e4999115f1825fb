"""What the blocks of a message say, in Slack's markup; anything may stand in their place. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.slack.inbound.mrkdwn import escape, escape_loosely, link
from adapters.slack.inbound.rich_text import read_rich_text
from adapters.slack.inbound.shape import DEPTH, tables, word

PARTS = (
    "rich_text_title", "title", "subtitle", "label", "text", "body", "description", "details", "output", "fields",
    "elements", "child_blocks", "blocks", "tasks", "sources", "rows", "accessory", "hero_image", "actions",
)  # fmt: skip
"""Where words stand in a block, in the order in which they are shown; a block of a kind that is not known has them
there too. Placeholders, options and confirmations are not said to anybody yet."""
INSTEAD = ("alt_text", "fallback")
"""Where words stand that are read where nothing else is."""

Json = Mapping[str, Any]


def read_blocks(blocks: object, depth: int = DEPTH) -> str:
    """The words of a list of blocks, each on lines of its own; empty where they have none."""
    return "\n".join(filter(None, (read_block(block, depth) for block in tables(blocks))))


def read_block(block: Json, depth: int = DEPTH) -> str:
    """The words of a block, of an element or of a text object; nothing below so many levels."""
    if depth <= 0:
        return ""
    kind = word(block.get("type"))
    if kind.startswith("rich_text"):
        return read_rich_text(block, depth).strip("\n")
    return READERS.get(kind, _read_any)(block, depth - 1)


def _read_any(block: Json, depth: int) -> str:
    found = (_read_value(block.get(part), depth) for part in PARTS)
    return "\n".join(filter(None, found)) or next((text for part in INSTEAD if (text := _text(block, part))), "")


def _read_value(value: object, depth: int) -> str:
    if isinstance(value, list):
        return read_blocks(value, depth) if depth > 0 else ""
    return read_block(value, depth) if isinstance(value, dict) else escape_loosely(word(value)).strip()


def _text(block: Json, key: str) -> str:
    """The text under a key, whether it is a text or a text object."""
    value = block.get(key)
    return _read_value(value, 1) if not isinstance(value, list) else ""


def _read_plain(block: Json, _: int) -> str:
    return escape(_undo(word(block.get("text")))).strip()


def _read_markup(block: Json, _: int) -> str:
    return escape_loosely(word(block.get("text"))).strip()


def _read_number(block: Json, _: int) -> str:
    return escape(word(block.get("text")) or word(block.get("value")))


def _read_row(block: Json, depth: int) -> str:
    """Elements that stand side by side."""
    return " ".join(filter(None, (read_block(element, depth) for element in tables(block.get("elements")))))


def _read_button(block: Json, _: int) -> str:
    """A button that leads somewhere is a link; what others do when they are pressed says nothing."""
    url = word(block.get("url"))
    return link(url, _text(block, "text")) if url else ""


def _read_image(block: Json, _: int) -> str:
    texts = dict.fromkeys(filter(None, (_text(block, "title"), _text(block, "alt_text"))))
    return f"(image: {', '.join(texts)})" if texts else ""


def _read_video(block: Json, _: int) -> str:
    title = link(word(block.get("title_url")), _text(block, "title"))
    rest = (_text(block, key) for key in ("description", "author_name", "provider_name"))
    return "\n".join(filter(None, (title, *rest))) or _text(block, "alt_text")


def _read_table(block: Json, depth: int) -> str:
    rows = block.get("rows")
    lines = [_read_cells(row, depth) for row in rows if isinstance(row, list)] if isinstance(rows, list) else []
    if len(lines) > 1:
        lines.insert(1, "|" + " --- |" * lines[0].count(" |"))
    return "\n".join(lines)


def _read_cells(row: list[Any], depth: int) -> str:
    cells = (" ".join(_read_value(cell, depth).split()) for cell in row)
    return f"| {' | '.join(cells)} |"


def _undo(text: str) -> str:
    """A plain text in which Slack's three escapes may stand, without them."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


READERS: dict[str, Callable[[Json, int], str]] = {
    "plain_text": _read_plain,
    "raw_text": _read_plain,
    "raw_number": _read_number,
    "mrkdwn": _read_markup,
    "context": _read_row,
    "actions": _read_row,
    "context_actions": _read_row,
    "button": _read_button,
    "workflow_button": _read_button,
    "icon_button": _read_button,
    "url": _read_button,
    "image": _read_image,
    "video": _read_video,
    "table": _read_table,
}
