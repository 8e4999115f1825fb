"""The buttons under an answer, and what a press of one, or of a shortcut on its message, says. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.domain.messages import Control, Page, State

PRESS = re.compile(r"^press:(stop|again)$")
"""Action ids of the buttons; their value is the turn."""
TURN = re.compile(r"[1-9]\d{0,18}")
LABELS = {Control.STOP: "Stop", Control.AGAIN: "Try again"}


def buttons(page: Page) -> list[dict[str, Any]]:
    """The block with the page's button: Stop while it grows, Try again after that; none where it has no turn."""
    if not page.turn or not page.last:
        return []
    control = Control.STOP if page.state is State.GROWING else Control.AGAIN
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": LABELS[control]},
        "action_id": f"press:{control}",
        "value": str(page.turn),
    }
    return [{"type": "actions", "elements": [button]}]


def pressed(action: Mapping[str, Any]) -> tuple[Control, int] | None:
    """What a button asks for, and for which turn; None where it is none of these."""
    press, value = PRESS.match(str(action.get("action_id"))), str(action.get("value"))
    return (Control(press[1]), int(value)) if press and TURN.fullmatch(value) else None


def find_turn(message: Mapping[str, Any]) -> int:
    """The turn whose button a message carries; 0 without one. The message must be the bot's own."""
    for block in message.get("blocks") or ():
        for element in block.get("elements") or ():
            if press := pressed(element):
                return press[1]
    return 0
