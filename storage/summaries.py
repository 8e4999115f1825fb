"""What the model is shown of a place: the latest summary, and the messages from the start of the window on."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections import defaultdict

from bot.domain.messages import File, Role
from bot.domain.records import Record, Summary
from storage.messages import utter
from storage.turns import clean, enroll, spend

COLUMNS = "role, content, author, moment, number"


def review(db: sqlite3.Connection, place: str, limit: int, before: int = 0) -> Record:
    """The latest summary of a place and its last messages from the start on, before a turn if one is named."""
    found = db.execute("SELECT id, start, revision FROM places WHERE key = ?", (clean(place),)).fetchone()
    if found is None:
        return Record()
    here, start, revision = found
    end = 2 * before if before else sys.maxsize
    summary = db.execute(
        "SELECT content, since, until FROM summaries WHERE place = ? AND until < ? ORDER BY until DESC LIMIT 1",
        (here, end),
    ).fetchone()
    rows = db.execute(
        f"SELECT {COLUMNS}, created FROM messages WHERE place = ? AND number >= ? AND number < ? "  # noqa: S608
        "ORDER BY number DESC LIMIT ?",
        (here, start, end, limit),
    ).fetchall()
    files = _files(db, here, rows[-1][4] // 2 if rows else sys.maxsize)
    messages = [utter(row[:5], files[row[4]]) for row in reversed(rows)]
    while messages and messages[0].role is not Role.USER:
        del messages[0]
    content, since, until = summary or ("", 0, 0)
    first = messages[0].number if messages else end
    (gap,) = db.execute(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE place = ? AND number > ? AND number < ?)", (here, until, first)
    ).fetchone()
    age = max(0.0, time.time() - rows[0][5]) if rows else 0.0
    return Record(content, since, until, tuple(messages), bool(gap), age, revision)


def trim(db: sqlite3.Connection, place: str, start: int) -> None:
    """Move the start of the window; it never moves back."""
    _move(db, enroll(db, place), start)


def condense(db: sqlite3.Connection, place: str, summary: Summary) -> bool:
    """Write a summary down, unless the record was changed since it was read."""
    here = enroll(db, place)
    spend(db, summary.until // 2, summary.model, "summary", summary.usage)
    (revision,) = db.execute("SELECT revision FROM places WHERE id = ?", (here,)).fetchone()
    if revision != summary.revision:
        return False
    db.execute(
        "INSERT OR REPLACE INTO summaries (place, until, since, content, created) VALUES (?, ?, ?, ?, ?)",
        (here, summary.until, summary.since, clean(summary.content), time.time()),
    )
    _move(db, here, summary.start)
    return True


def _move(db: sqlite3.Connection, place: int, start: int) -> None:
    db.execute("UPDATE places SET start = max(start, ?) WHERE id = ?", (start, place))
    db.execute("DELETE FROM files WHERE place = ? AND turn < ?", (place, start // 2))


def _files(db: sqlite3.Connection, place: int, turn: int) -> defaultdict[int, list[File]]:
    """The files of the questions from a turn on, by the numbers of their messages."""
    files: defaultdict[int, list[File]] = defaultdict(list)
    for owner, *file in db.execute(
        "SELECT turn, name, media_type, data, pages FROM files WHERE place = ? AND turn >= ? ORDER BY turn, position",
        (place, turn),
    ):
        files[2 * owner].append(File(*file))
    return files
