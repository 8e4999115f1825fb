"""What is deleted because it is old or because its author wants it so, and what a person is given of theirs.

Each call does a bounded part, from one turn's id on, so that nothing else waits long for the file.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from storage import edits
from storage.turns import clean

BATCH = 500
"""Turns that are looked at in one call."""
DAY = 25 * 3600.0
"""Seconds of the longest day that a calendar has: so long a forgotten person's id stays, for the limits of the day."""
WEEK = 7 * 86_400.0
"""Seconds for which a message that was turned away is known: no platform brings one so late."""
PERSON = 2
"""What `forgotten` is in a turn whose author is to be forgotten too."""


class Part(NamedTuple):
    """What one call did: how many questions it deleted, and the id to go on after; None at the end."""

    questions: int
    after: int | None


def expire(db: sqlite3.Connection, after: int, before: float) -> Part:
    """Delete the texts of turns that were asked before a moment, in seconds since 1970.

    People who were forgotten a day ago lose their ids, too.
    """
    end = _end(db, after)
    if end is None:
        db.execute("DELETE FROM declined WHERE created < ?", (time.time() - WEEK,))
        _unname_places(db)
        return Part(0, None)
    count = _forget(db, "id > ? AND id <= ? AND forgotten = 0 AND created < ?", (after, end, before))
    _unname(db, after, end)
    return Part(count, end)


def forget_person(db: sqlite3.Connection, after: int, platform: str, author: str) -> Part:
    """Delete what a person said, everywhere on a platform, with its answers, and what others' questions quote of it."""
    end = _end(db, after, platform, author)
    if end is None:
        return Part(0, after if edits.unquote(db, platform, author, BATCH) == BATCH else None)
    theirs = "id > ? AND id <= ? AND platform = ? AND author = ?"
    values = (after, end, platform, clean(author))
    count = _forget(db, f"{theirs} AND forgotten = 0", values)
    db.execute(f"UPDATE turns SET forgotten = {PERSON} WHERE {theirs}", values)  # noqa: S608
    _unname(db, after, end)
    return Part(count, end)


def export(
    db: sqlite3.Connection, after: int, platform: str, author: str, place: str
) -> tuple[list[dict[str, Any]], int | None]:
    """What a person said on a platform, or in one place of it, and what was answered; and the id to go on after."""
    end = _end(db, after, platform, author)
    rows = db.execute(
        "SELECT key, turns.created, question, coalesce(content, "
        "(SELECT draft FROM turns AS main WHERE main.id = coalesce(turns.joined, turns.id))) "
        "FROM turns JOIN places ON places.id = turns.place LEFT JOIN messages "
        "ON messages.place = turns.place AND number = 2 * coalesce(turns.joined, turns.id) + 1 "
        "WHERE turns.id > ? AND turns.id <= ? AND platform = ? AND turns.author = ? AND forgotten = 0 "
        "AND ? IN ('', key) ORDER BY turns.id",
        (after, end or after, platform, clean(author), clean(place)),
    )
    return [_describe(*row) for row in rows], end


def _end(db: sqlite3.Connection, after: int, platform: str = "", author: str = "") -> int | None:
    """The last id of the turns that come next, of a person or of all; None where none do."""
    theirs = "platform = ? AND author = ? AND" if platform else ""
    values = (platform, clean(author)) if platform else ()
    query = f"SELECT max(id) FROM (SELECT id FROM turns WHERE {theirs} id > ? ORDER BY id LIMIT ?)"  # noqa: S608
    end: int | None = db.execute(query, (*values, after, BATCH)).fetchone()[0]
    return end


def _forget(db: sqlite3.Connection, chosen: str, values: Sequence[Any]) -> int:
    """Delete the texts of the chosen turns, each with all that became one question; returns how many were questions."""
    found = db.execute(
        f"SELECT coalesce(joined, id), max(command = '') FROM turns WHERE {chosen} GROUP BY 1",  # noqa: S608
        values,
    ).fetchall()
    edits.forget(db, [turn for turn, _ in found])
    return sum(question for _, question in found)


def _unname(db: sqlite3.Connection, after: int, end: int) -> None:
    """Take the ids of forgotten people off what is older than a day, and off what it cost."""
    yesterday = time.time() - DAY
    theirs = f"id > ? AND id <= ? AND forgotten = {PERSON}"
    old = f"SELECT id FROM turns WHERE {theirs}"  # noqa: S608
    db.execute(
        f"UPDATE usage SET author = '' WHERE author <> '' AND created < ? AND turn IN ({old})",  # noqa: S608
        (yesterday, after, end),
    )
    db.execute(
        f"UPDATE turns SET author = '' WHERE {theirs} AND author <> '' AND created < ?",  # noqa: S608
        (after, end, yesterday),
    )


def _unname_places(db: sqlite3.Connection) -> None:
    """Take the ids of forgotten people off the conversations that were theirs alone."""
    db.execute(
        "UPDATE places SET person = '', key = substr(key, 1, length(key) - length(person)) || '#' || id "
        "WHERE person <> '' AND NOT EXISTS (SELECT 1 FROM turns WHERE place = places.id AND author <> '')"
    )


def _describe(place: str, created: float, question: str, answer: str) -> dict[str, Any]:
    said = json.loads(question)
    described = {
        "place": place,
        "time": datetime.fromtimestamp(said["sent"] or created, UTC).isoformat(timespec="seconds"),
        "name": said["author"]["name"],
        "text": said["text"],
        "quote": said["quote"],
        "files": [file["name"] for file in said["attachments"]],
        "answer": answer,
    }
    return {key: value for key, value in described.items() if value or key in ("text", "answer")}
