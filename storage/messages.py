"""What was said in each place, and what is noted about it."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Sequence
from typing import Any

from bot.domain.messages import File, Message, Role
from storage.edits import GONE
from storage.turns import clean, enroll


def recall(db: sqlite3.Connection, place: str, limit: int, before: int = 0) -> list[Message]:
    """The last messages of a place, before a turn if one is named, oldest first, from a user's message on."""
    rows = db.execute(
        "SELECT role, content, author, moment, number FROM messages "
        "WHERE place = (SELECT id FROM places WHERE key = ?) AND number < ? ORDER BY number DESC LIMIT ?",
        (clean(place), 2 * before if before else sys.maxsize, limit),
    ).fetchall()
    messages = [utter(row) for row in reversed(rows)]
    while messages and messages[0].role is not Role.USER:
        del messages[0]
    return messages


def utter(row: Sequence[Any], files: Sequence[File] = ()) -> Message:
    """A message out of its columns: role, content, author, moment, number."""
    role, content, author, moment, number = row
    return Message(Role(role), content, author, moment, tuple(files), number)


def forget(db: sqlite3.Connection, place: str) -> bool:
    """Delete every text of a place, those of turns that are still open too; False if there was none."""
    found = db.execute("SELECT id FROM places WHERE key = ?", (clean(place),)).fetchone()
    if found is None:
        return False
    messages = db.execute("DELETE FROM messages WHERE place = ?", found).rowcount
    questions = db.execute(
        "SELECT count(*) FROM turns WHERE place = ? AND forgotten = 0 AND command = ''", found
    ).fetchone()[0]
    db.execute(f"UPDATE turns SET {GONE} WHERE place = ? AND forgotten = 0", found)  # noqa: S608
    db.execute("DELETE FROM files WHERE place = ?", found)
    db.execute("DELETE FROM quoted WHERE turn IN (SELECT id FROM turns WHERE place = ?)", found)
    db.execute("DELETE FROM summaries WHERE place = ?", found)
    db.execute("UPDATE places SET start = 0, revision = revision + 1 WHERE id = ?", found)
    return bool(messages or questions)


def known(db: sqlite3.Connection, place: str) -> bool:
    """Whether a place has turns that were not forgotten."""
    return _holds(
        db, "SELECT 1 FROM turns JOIN places ON turns.place = places.id WHERE key = ? AND forgotten = 0", place
    )


def asked(db: sqlite3.Connection, place: str) -> bool:
    """Whether a place, or a conversation of one person's in it, has turns at all."""
    return _holds(
        db,
        "SELECT 1 FROM turns JOIN places ON turns.place = places.id "
        "WHERE key = ?1 OR (key > ?1 || ':' AND key < ?1 || ';' AND person <> '' AND key = ?1 || ':' || person)",
        place,
    )


def metadata(db: sqlite3.Connection, place: str) -> dict[str, Any]:
    """What is noted about a place."""
    found = db.execute("SELECT metadata FROM places WHERE key = ?", (clean(place),)).fetchone()
    return dict(json.loads(found[0])) if found else {}


def annotate(db: sqlite3.Connection, place: str, key: str, value: Any) -> None:
    """Note something about a place, or take the note away with None."""
    row = enroll(db, place)
    notes = {**metadata(db, place), key: value}
    kept = {key: value for key, value in notes.items() if value is not None}
    db.execute("UPDATE places SET metadata = ? WHERE id = ?", (json.dumps(kept), row))


def places(db: sqlite3.Connection, prefix: str, limit: int) -> list[tuple[str, str]]:
    """(key, latest question) of the places with a memory whose key starts with `prefix`, newest first."""
    low = clean(prefix)
    rows: list[tuple[str, str]] = db.execute(
        "SELECT key, content FROM places JOIN messages ON messages.place = places.id AND number = "
        "(SELECT number FROM messages WHERE place = places.id AND role = 'user' ORDER BY number DESC LIMIT 1) "
        "WHERE key >= ? AND key < ? ORDER BY number DESC LIMIT ?",
        (low, f"{low}\U0010ffff", limit),
    ).fetchall()
    return rows


def _holds(db: sqlite3.Connection, query: str, place: str) -> bool:
    return db.execute(f"{query} LIMIT 1", (clean(place),)).fetchone() is not None
