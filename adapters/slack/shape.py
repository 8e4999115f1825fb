"""Events in the shape that Slack documents: what is of another kind is left out, as if it had not come. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXTS = (
    "type", "subtype", "user", "channel", "channel_type", "ts", "thread_ts", "deleted_ts", "text", "team_id", "bot_id",
    "team", "user_team", "source_team", "parent_user_id",
    "name", "id", "mimetype", "mode", "url_private",
)  # fmt: skip
TABLES = ("event", "message", "previous_message")
LISTS = ("authorizations", "files", "attachments")
"""Keys that are read, by what stands there: a text, a table, a list of tables."""
LARGEST = 2**53
"""Of a number: beyond it JSON's are no whole ones (RFC 8259)."""


def sound(found: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope or the event, in which what is read is what it should be."""
    kept: dict[str, Any] = {}
    for key, value in found.items():
        if key in TEXTS:
            good = isinstance(value, str)
        elif key in TABLES:
            good = isinstance(value, dict)
            value = sound(value) if good else value
        elif key in LISTS:
            good = isinstance(value, list)
            value = [sound(part) for part in value if isinstance(part, dict)] if good else value
        else:
            good = key != "size" or (isinstance(value, int) and 0 <= value <= LARGEST)
        if good:
            kept[key] = value
    return kept
