"""The rows that a thread of a channel is picked from. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from adapters.slack.inbound.messages import place_from, split
from adapters.slack.outbound.dialect import escape

ACTION = re.compile(r"^(reset|stop):\d+$")
"""Action ids of the buttons: the command, and the number of the row."""
PICK = {"reset": "Which conversation shall I forget?", "stop": "Where shall I stop writing?"}
LABELS = {"reset": "Forget", "stop": "Stop"}
NOTHING = (
    "I know of no conversation in this channel. Mention me with `{command}` in a thread (`@{bot} {command}`) "
    "and I do it there."
)
QUESTION_LENGTH = 140


def rows(command: str, threads: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """A heading, and a row for each (place key, latest question) with a button that picks it."""
    blocks: list[dict[str, Any]] = [_section(PICK[command])]
    for number, (key, question) in enumerate(threads):
        button = {
            "type": "button",
            "text": {"type": "plain_text", "text": LABELS[command]},
            "action_id": f"{command}:{number}",
            "value": key,
        }
        blocks.append({**_section(f"{_when(key)} {_shorten(question)}"), "accessory": button})
    return blocks


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _when(key: str) -> str:
    """When the thread began, in the reader's own time: its name is the first message's `ts`."""
    seconds = split(place_from(key))[2].partition(".")[0]
    return f"<!date^{seconds}^{{date_short_pretty}}, {{time}}|a thread>:" if seconds.isdigit() else ""


def _shorten(question: str) -> str:
    words = " ".join(question.split())
    return escape(words if len(words) <= QUESTION_LENGTH else f"{words[: QUESTION_LENGTH - 1]}…") or "(no words)"
