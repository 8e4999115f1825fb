"""A page as Slack's message form takes it: blocks, and beside them a short text for notifications. Pure."""

from __future__ import annotations

import re
from typing import Any

from adapters.slack.outbound import dialect
from adapters.slack.outbound.buttons import buttons
from bot.domain.messages import Page, State

SECTION = 3000
"""Characters of a `section` block's text (docs.slack.dev, section block)."""
HALF = re.compile(r"&[a-z]{0,3}$")
"""An escape that a cut may have gone through."""


def form(page: Page) -> dict[str, Any]:
    """The page as a `markdown` block with its note and its button under it."""
    text = _markdown(page)
    return _form(page, [{"type": "markdown", "text": text}] if text else [])


def bare(page: Page) -> dict[str, Any]:
    """The same words in `section` blocks, which Slack does not take apart as it does a `markdown` block."""
    return _form(page, [{"type": "section", "text": _words(part)} for part in _cut(_markdown(page)) if part.strip()])


def measure(page: Page) -> int:
    """The length of the page's blocks in UTF-16 units; buttons are no text.

    Slack does not say in which unit it counts; there are never more characters than such units.
    """
    text = _markdown(page) + (dialect.escape(page.note) if page.note else "")
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _form(page: Page, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    if page.note:
        blocks.append({"type": "context", "elements": [_words(dialect.escape(page.note))]})
    return {"blocks": blocks + buttons(page), "text": dialect.plain(page.text.strip() or page.note or "…")}


def _markdown(page: Page) -> str:
    text = dialect.render(page.text) if page.text.strip() else ""
    growing = page.state is State.GROWING and page.last
    return text + dialect.cursor(text) if text and growing else text


def _words(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def _cut(text: str) -> list[str]:
    """Parts that a section takes, cut behind a line where there is one, never in an escape."""
    parts = []
    while len(text) > SECTION:
        end = text.rfind("\n", SECTION // 2, SECTION) + 1 or SECTION
        half = HALF.search(text, max(0, end - 4), end)
        end = half.start() if half else end
        parts.append(text[:end])
        text = text[end:]
    return [*parts, text]
