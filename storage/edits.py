"""Turns as they are written down: found again, changed and taken back as their messages are."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.domain.messages import Attachment, Author, File, Incoming, Message, Place, State
from bot.domain.records import Answer, Asked, Material
from bot.prompts.compose import ask
from storage.turns import clean, finish, void, write

GONE = "forgotten = 1, question = NULL, draft = '', material = ''"
"""How a turn is written whose texts are gone."""
COLUMNS = "id, posts, draft, state, attempt, created, begun, last, material"


def find(db: sqlite3.Connection, turn: int) -> Asked | None:
    """A turn; None when it was forgotten, and for commands."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM asked WHERE id = ? AND command = ''",  # noqa: S608
        (turn,),
    ).fetchone()
    return _describe(db, row) if row else None


def unfinished(db: sqlite3.Connection, platform: str) -> list[Asked]:
    """The turns of a platform that were never closed, the oldest first, without those that are a part of another."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM asked "  # noqa: S608
        "WHERE platform = ? AND finished IS NULL AND joined IS NULL ORDER BY id",
        (platform,),
    ).fetchall()
    return [_describe(db, row) for row in rows]


def amend(db: sqlite3.Connection, incoming: Incoming) -> Asked | None:
    """Change what a message says, in its turn and in the memory; it stays in the place that it was said in."""
    row = db.execute(
        "SELECT id, coalesce(joined, id), question FROM turns WHERE platform = ? AND channel = ? AND message = ? "
        "AND forgotten = 0 AND command = ''",
        (incoming.place.platform, incoming.channel_id, incoming.message_id),
    ).fetchone()
    if row is None:
        return None
    own, turn, question = row
    old = _read(question)
    incoming = replace(incoming, place=old.place, follows=old.follows, late=old.late)
    rights = {name: getattr(old, name) for name in ("marks", "admin", "external", "bot", "manages")}
    if replace(incoming, **rights) == old:
        return None
    db.execute("UPDATE turns SET question = ? WHERE id = ?", (write(incoming), own))
    db.execute("UPDATE turns SET amended = 1 WHERE id = ?", (turn,))
    asked = find(db, turn)
    if asked:
        _write_anew(db, asked)
    return asked


def close(db: sqlite3.Connection, turn: int, answer: Answer, question: Message | None) -> None:
    """Close a turn; a question that was changed since it was asked is remembered as it reads now."""
    changed = db.execute("UPDATE turns SET amended = 0 WHERE id = ? AND amended", (turn,)).rowcount
    asked = find(db, turn) if changed else None
    if asked and question:
        question = replace(question, content=ask(asked.questions, asked.material).content)
    finish(db, turn, answer, question)


def unquote(db: sqlite3.Connection, platform: str, author: str, limit: int) -> int:
    """Take a person's words out of what came with the questions of others, of so many at most; returns of how many.

    What belongs to such a question goes as a whole.
    """
    rows = db.execute(
        "SELECT turn FROM quoted WHERE platform = ? AND author = ? LIMIT ?", (platform, clean(author), limit)
    ).fetchall()
    for (turn,) in rows:
        db.execute("UPDATE turns SET material = '', amended = 1 WHERE id = ?", (turn,))
        db.execute("DELETE FROM quoted WHERE turn = ?", (turn,))
        if asked := find(db, turn):
            _write_anew(db, asked)
    return len(rows)


def retract(db: sqlite3.Connection, platform: str, channel: str, message: str) -> Asked | None:
    """Take the turn of a question, or of a post that answers one, out of the memory."""
    row = db.execute(
        "SELECT coalesce(joined, id) FROM turns WHERE forgotten = 0 AND id IN ("
        "SELECT id FROM turns WHERE platform = :platform AND channel = :channel AND message = :message UNION ALL "
        "SELECT turn FROM posts WHERE platform = :platform AND channel = :channel AND post = :message)",
        {"platform": platform, "channel": channel, "message": message},
    ).fetchone()
    asked = find(db, row[0]) if row else None
    if asked:
        forget(db, [asked.id])
    return asked


def forget(db: sqlite3.Connection, turns: Sequence[int]) -> None:
    """Delete the texts of turns and of all that is a part of them; their ids stay."""
    for turn in turns:
        (place,) = db.execute("SELECT place FROM turns WHERE id = ?", (turn,)).fetchone()
        db.execute("DELETE FROM messages WHERE place = ? AND number IN (?, ?)", (place, 2 * turn, 2 * turn + 1))
        db.execute("DELETE FROM files WHERE place = ? AND turn = ?", (place, turn))
        db.execute("DELETE FROM quoted WHERE turn = ?", (turn,))
        db.execute(f"UPDATE turns SET {GONE} WHERE id = ? OR joined = ?", (turn, turn))  # noqa: S608
        void(db, place, 2 * turn)


def _write_anew(db: sqlite3.Connection, asked: Asked) -> None:
    """Have the memory say what a question says now; summaries of it are void."""
    content = clean(ask(asked.questions, asked.material).content)
    (place,) = db.execute("SELECT place FROM turns WHERE id = ?", (asked.id,)).fetchone()
    db.execute("UPDATE messages SET content = ? WHERE place = ? AND number = ?", (content, place, 2 * asked.id))
    void(db, place, 2 * asked.id)


def _describe(db: sqlite3.Connection, row: Sequence[Any]) -> Asked:
    turn, posts, draft, state, attempt, created, begun, last, material = row
    questions = db.execute("SELECT question FROM turns WHERE joined = ? OR id = ? ORDER BY id", (turn, turn)).fetchall()
    files = db.execute(
        "SELECT name, media_type, data, pages FROM files WHERE place = (SELECT place FROM turns WHERE id = ?) "
        "AND turn = ? ORDER BY position",
        (turn, turn),
    ).fetchall()
    return Asked(
        turn,
        tuple(_read(question) for (question,) in questions),
        tuple(json.loads(posts)),
        draft,
        State(state),
        bool(begun),
        bool(last),
        attempt,
        max(0.0, time.time() - created),
        Material(material, tuple(File(*file) for file in files)),
    )


def _read(question: str) -> Incoming:
    """An incoming message out of its JSON."""
    fields = json.loads(question)
    return Incoming(
        **{
            **fields,
            "place": Place(**fields["place"]),
            "author": Author(**fields["author"]),
            "attachments": tuple(Attachment(**file) for file in fields["attachments"]),
            "people": tuple(Author(**person) for person in fields.get("people", ())),
            "marks": tuple(fields.get("marks", ())),
        }
    )
