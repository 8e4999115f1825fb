"""A page as Discord's message form takes it: content, flags, mentions, buttons. Pure."""

from __future__ import annotations

import re
from typing import Any

from adapters.discord.outbound.dialect import cursor, render, subtext
from adapters.discord.outbound.mentions import Call
from bot.domain.messages import Control, Page, State

SUPPRESS_EMBEDS = 1 << 2
SUPPRESS_NOTIFICATIONS = 1 << 12
"""Flags of a message (Discord's documentation, message flags)."""
ROW, BUTTON, GREY = 1, 2, 2
"""Types and style of components."""
PRESS = re.compile(r"parley:(stop|again):([1-9]\d{0,18})")
LABELS = {Control.STOP: "Stop", Control.AGAIN: "Try again"}


def content(page: Page, width: int, call: Call = str) -> str:
    """The text of the message: the page in Discord's markdown, its cursor, its note; `call` puts mentions into it."""
    text = call(render(page.text, width)) if page.text.strip() else ""
    if page.state is State.GROWING and page.last and text:
        text += cursor(text)
    return "\n".join(part for part in (text, subtext(page.note) if page.note else "") if part)


def bare(page: Page) -> str:
    """The text of the message without any form, for a page that Discord does not take otherwise."""
    return "\n".join(part for part in (page.text, page.note) if part.strip())


def form(page: Page, text: str, ping: bool) -> dict[str, Any]:
    """What a post and an edit have in common.

    Links never unfold, while the page grows nor after: what a model links is its own choice, not the asker's. Flags and
    mentions are said again on every edit, for Discord takes its defaults else.
    """
    return {
        "content": text,
        "flags": SUPPRESS_EMBEDS,
        "allowed_mentions": {"parse": [], "replied_user": ping and not page.part},
        "components": buttons(page),
    }


def flags(page: Page) -> int:
    """The flags of a post: a continuation comes silently. An edit cannot set that flag, and loses it by nothing."""
    return SUPPRESS_EMBEDS | (SUPPRESS_NOTIFICATIONS if page.part else 0)


def buttons(page: Page) -> list[dict[str, Any]]:
    """Stop under a growing page, Try again under a whole one; none where the page has no turn."""
    if not page.turn or not page.last:
        return []
    control = Control.STOP if page.state is State.GROWING else Control.AGAIN
    button = {"type": BUTTON, "style": GREY, "label": LABELS[control], "custom_id": f"parley:{control}:{page.turn}"}
    return [{"type": ROW, "components": [button]}]


def pressed(custom_id: str) -> tuple[Control, int] | None:
    """The control and the turn of a button that was pressed; None for a button that is not Parley's."""
    found = PRESS.fullmatch(custom_id)
    return (Control(found[1]), int(found[2])) if found else None
