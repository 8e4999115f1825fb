"""Events in the shape that Slack documents: what is of another kind is left out, as if it had not come. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXTS = (
    "type", "subtype", "user", "channel", "channel_type", "ts", "thread_ts", "deleted_ts", "text", "team_id", "bot_id",
    "team", "user_team", "source_team", "username", "parent_user_id",
    "name", "id", "mimetype", "mode", "url_private",
)  # fmt: skip
TABLES = ("event", "message", "previous_message", "bot_profile")
LISTS = ("authorizations", "files", "attachments")
"""Keys that are read, by what stands there: a text, a table, a list of tables."""
LARGEST = 2**53
"""Of a number: beyond it JSON's are no whole ones (RFC 8259)."""
DEPTH = 8
"""Levels of tables, or of parts of a message, that are read: what Slack itself nests is no deeper than six."""


def sound(found: Mapping[str, Any], depth: int = DEPTH) -> dict[str, Any]:
    """The envelope or the event, in which what is read is what it should be."""
    kept: dict[str, Any] = {}
    if not depth:
        return kept
    for key, value in found.items():
        if key in TEXTS:
            good = isinstance(value, str)
        elif key in TABLES:
            good = isinstance(value, dict)
            value = sound(value, depth - 1) if good else value
        elif key in LISTS:
            good = isinstance(value, list)
            value = [sound(part, depth - 1) for part in tables(value)]
        else:
            good = key != "size" or (isinstance(value, int) and 0 <= value <= LARGEST)
        if good:
            kept[key] = value
    return kept


def tables(value: object) -> list[dict[str, Any]]:
    """The tables of a list; none where it is no list."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def word(value: object) -> str:
    """A text, or a number as a text; empty for everything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value) if isinstance(value, str | float) or abs(value) <= LARGEST else ""
